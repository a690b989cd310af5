export * from './endpoint';
export * from './promotion/rollout-judge';
