import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from './engine';
import { type OnnxEngineOptions, openOnnxEngine } from './onnx/engine';

/** How a model's directory is served. */
export interface EngineOptions extends OnnxEngineOptions {}

/**
 * Opens the model in a directory: the .onnx file at its root.
 *
 * @param directory what a container finds in /opt/ml/model
 * @throws Error where the directory holds no model that can be served here, or the model does not load
 */
export async function openEngine(directory: string, options: EngineOptions = {}): Promise<Engine> {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) throw new Error(`${directory} is not a directory`);
  return openOnnxEngine(join(directory, onnxFile(directory)), options);
}

/** `model.onnx`, else the only .onnx file at the root. */
function onnxFile(directory: string): string {
  const found = readdirSync(directory).filter((name) => name.endsWith('.onnx') && !name.startsWith('.'));
  if (found.includes('model.onnx')) return 'model.onnx';
  if (found.length === 0) throw new Error(`${directory} holds no .onnx file`);
  if (found.length > 1) throw new Error(`${directory} holds several models (${found.sort().join(', ')}): name the one to serve model.onnx`);
  return found[0]!;
}
