/** SageMaker Runtime: requests find a variant by the traffic's shares, and its model. */
export * from './route';
export * from './running-variant';
export * from './service';
