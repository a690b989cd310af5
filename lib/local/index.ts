/** A SageMaker on this machine: control plane, runtime and clock on 127.0.0.1, for any AWS SDK or CLI. */
export * from './clock';
export * from './faults';
export * from './local-sagemaker';
