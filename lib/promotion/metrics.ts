import { NAMESPACE } from './request';

/** What a promotion publishes to CloudWatch while it judges, for dashboards and alarms. */
export interface PublishedMetric {
  readonly namespace: string;
  readonly name: string;
  readonly unit: 'None' | 'Percent' | 'Count' | 'Seconds';
  /** `EndpointName`: the endpoint. `Metric`: the id of a judged metric, e.g. `server-errors`. `Verdict`: `promoted`, `rolled back` or `held`. */
  readonly dimensions: readonly ('EndpointName' | 'Metric' | 'Verdict')[];
  /** The CloudWatch statistic that says what the values mean. */
  readonly statistic: 'Maximum' | 'Sum';
  /** For a person. */
  readonly meaning: string;
}

const published = (metric: Omit<PublishedMetric, 'namespace'>): PublishedMetric => ({ namespace: NAMESPACE, ...metric });

/** Every metric: at every tick of a stretch that is judged, but for the last, at the end; nothing is published between promotions. */
export const PROMOTION_METRICS = {
  evidenceWorse: published({
    name: 'EvidenceWorse',
    unit: 'None',
    dimensions: ['EndpointName', 'Metric'],
    statistic: 'Maximum',
    meaning:
      'evidence that the candidate is worse on this metric, as a share of what rolls back on it alone: log M / log threshold, 1 decides',
  }),
  evidenceWorseInAll: published({
    name: 'EvidenceWorse',
    unit: 'None',
    dimensions: ['EndpointName'],
    statistic: 'Maximum',
    meaning: 'evidence that the candidate is worse, all metrics together, as a share of what rolls back: 1 decides',
  }),
  evidenceNotWorse: published({
    name: 'EvidenceNotWorse',
    unit: 'None',
    dimensions: ['EndpointName', 'Metric'],
    statistic: 'Maximum',
    meaning:
      'evidence that the candidate is not worse on this metric, as a share of what suffices; it is promoted once every required metric has 1',
  }),
  candidatePercent: published({
    name: 'CandidatePercent',
    unit: 'Percent',
    dimensions: ['EndpointName'],
    statistic: 'Maximum',
    meaning: 'share of the requests that the candidate answers, 0 for a shadow',
  }),
  promotionTick: published({
    name: 'PromotionTick',
    unit: 'Count',
    dimensions: ['EndpointName'],
    statistic: 'Sum',
    meaning: 'heartbeat: 1 at every tick, each `tickSeconds` of the plan',
  }),
  promotionSeconds: published({
    name: 'PromotionSeconds',
    unit: 'Seconds',
    dimensions: ['EndpointName'],
    statistic: 'Maximum',
    meaning: 'how long the promotion has been under way, its wait for its turn included',
  }),
  promotionEnded: published({
    name: 'PromotionEnded',
    unit: 'Count',
    dimensions: ['EndpointName', 'Verdict'],
    statistic: 'Sum',
    meaning: '1 when a promotion ends, by how',
  }),
} as const;
