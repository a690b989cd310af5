/**
 * How an endpoint's requests are borne; its alarms, scaling and rollout depend on it.
 *
 * @internal
 */
export type CapacityKind = 'instances' | 'serverless' | 'async';
