/** SageMaker's control plane: models, configurations, endpoints and their deployments, model packages, tags. */
export { ModelHost, type OpenModel } from './model-host';
export { ControlService } from './service';
export { AWS_TIMINGS, QUICK_TIMINGS, type Timings } from './timings';
