import type { StageSetup } from '../approval-event';

/** What a stage's functions are told of it, as JSON in this environment variable. */
export const STAGE_VARIABLE = 'FLEDGE_STAGE';

/** @throws Error where the function was not deployed by a stage */
export function stageOf(environment: NodeJS.ProcessEnv): StageSetup {
  const text = environment[STAGE_VARIABLE];
  if (text === undefined) throw new Error(`${STAGE_VARIABLE} is not set: this function is deployed by a CanaryStage`);
  return JSON.parse(text) as StageSetup;
}
