/** Says what a trained model is and needs, from its bytes alone: nothing of it is executed. */

export type { Finding, Severity } from './finding';
export { type InspectOptions, inspect, inspectArchive } from './inspect';
export type { Fact, Framework, ImageFamily, Inspection, ModelFile, ModelFormat, Needs } from './inspection';
export { MODEL_YAML, type ModelYaml, readModelYaml, type ScanAction, type ScanException, type ScanPolicy } from './model-yaml';
export { checkSafety, mustBeSafe, type SafetyOptions } from './must-be-safe';
export type { Signature, TensorSpec } from './signature';
