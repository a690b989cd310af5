export * from './endpoint';
export * from './promotion/account-hand-over';
export * from './promotion/canary-stage';
export * from './promotion/rollout-judge';
