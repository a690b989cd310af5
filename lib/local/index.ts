/** A SageMaker on this machine: control plane, runtime and clock on 127.0.0.1, for any AWS SDK or CLI. */
export * from './clock';
export { AWS_TIMINGS, type OpenModel, QUICK_TIMINGS, type Timings } from './control';
export * from './faults';
export * from './local-sagemaker';
