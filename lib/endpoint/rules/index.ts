/** The mistakes about SageMaker endpoints that no validator catches, for any app. */
export { FledgeRules } from './fledge-rules';
