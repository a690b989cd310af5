export * from './endpoint';
export * from './promotion/canary-stage';
export * from './promotion/rollout-judge';
