import { NAMESPACE } from './request';

/** What the judge of a rollout publishes: evidence against the new fleet, as a share of what suffices. */
export const EVIDENCE_METRIC = {
  namespace: NAMESPACE,
  name: 'RollbackEvidence',
  dimensions: (endpointName: string): Record<string, string> => ({ EndpointName: endpointName, Judge: 'Rollout' }),
};

/** What the judge's function is told, as JSON in this environment variable. */
export const ROLLOUT_VARIABLE = 'FLEDGE_ROLLOUT';
