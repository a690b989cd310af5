import type { FaultKind, FaultRule } from '../../lib/local';
import { random } from '../../lib/local/faults/random';

/** One way in which a promotion can be made hard. */
export interface Schedule {
  readonly name: string;
  /** Share of requests that the candidate answers with an error. */
  readonly errorRate: number;
  readonly rules: readonly FaultRule[];
  /** Checkpoints at which the process dies, and whether the checkpoint is kept. */
  readonly crashes: Readonly<Record<number, 'before' | 'after'>>;
  /** Whether a second candidate comes while the first is under way. */
  readonly rival: boolean;
  /** Whether the live variant is scaled, and the candidate wants other instances. */
  readonly scaled?: boolean;
  /** Whether the clients try again by themselves what failed, as they do on AWS. */
  readonly retries?: boolean;
  /** Checkpoint at which the promotion dies for good; another one follows. */
  readonly dies?: number;
  /** Call that is forbidden for good, from some time on; once the promotion is over it is allowed again, and another one follows. */
  readonly denied?: FaultRule;
  /** Call right before which SageMaker begins to maintain the endpoint: after the look, too late for it. */
  readonly maintained?: { readonly operation: string; readonly nth: number };
}

/** How often a promotion without faults makes each call. */
export type Calls = Readonly<Record<string, number>>;

export const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  SageMaker: [
    'DescribeEndpoint',
    'DescribeEndpointConfig',
    'DescribeModel',
    'DescribeModelPackage',
    'CreateModel',
    'CreateEndpointConfig',
    'UpdateEndpoint',
    'UpdateEndpointWeightsAndCapacities',
    'DeleteEndpointConfig',
    'DeleteModel',
  ],
  'Application Auto Scaling': [
    'DescribeScalableTargets',
    'DescribeScalingPolicies',
    'DescribeScheduledActions',
    'DeregisterScalableTarget',
    'RegisterScalableTarget',
    'PutScalingPolicy',
    'PutScheduledAction',
  ],
  CloudWatch: ['GetMetricData', 'PutMetricData', 'PutMetricAlarm', 'DeleteAlarms'],
  SNS: ['Publish'],
  S3: ['GetObject', 'PutObject', 'ListObjectsV2'],
};

const CALL_FAULTS: readonly FaultKind[] = ['throttle', 'error', 'dropped', 'lost answer'];
const MOMENTS: readonly FaultRule[] = [
  { operation: 'StartInstances', kind: 'capacity' },
  { operation: 'StartInstances', kind: 'unhealthy' },
  { operation: 'StartInstances', kind: 'stuck' },
  { operation: 'StartInstances', kind: 'slow', seconds: 600 },
];
const RATES = [0.001, 0.3];

/** Without its bucket a promotion cannot even say that it ended: everything else may be forbidden. */
const DENIABLE = Object.entries(OPERATIONS).flatMap(([service, operations]) =>
  service === 'S3' ? [] : operations.map((operation) => ({ service, operation })),
);
const denial = ({ service, operation }: (typeof DENIABLE)[number], nth: number): FaultRule => ({
  service,
  operation,
  kind: 'error',
  code: 'AccessDeniedException',
  status: 403,
  nth,
});
const CHANGES = ['UpdateEndpoint', 'UpdateEndpointWeightsAndCapacities'];

/** Every call of a promotion with every kind of failure, every checkpoint with a crash before and after it, every moment of a deployment with what can befall it. */
export function singles(calls: Calls, checkpoints: number): Schedule[] {
  const schedules: Schedule[] = [];
  for (const errorRate of RATES) {
    const one = { errorRate, rules: [], crashes: {}, rival: false };
    for (const place of DENIABLE) {
      for (const nth of [1, 2, 3])
        schedules.push({ ...one, name: `${place.operation} ${nth} and after forbidden`, scaled: true, denied: denial(place, nth) });
    }
    for (const operation of CHANGES) {
      for (const nth of [1, 2, 3, 4])
        schedules.push({ ...one, name: `maintained before ${operation} ${nth}`, maintained: { operation, nth } });
    }
    for (let at = 1; at <= checkpoints; at++)
      for (const scaled of [false, true])
        schedules.push({ ...one, name: `dies for good at checkpoint ${at}${scaled ? ', scaled' : ''}`, scaled, dies: at });
    for (const [service, operations] of Object.entries(OPERATIONS)) {
      const scaled = service === 'Application Auto Scaling';
      for (const operation of operations) {
        for (let nth = 1; nth <= (calls[`${service} ${operation}`] ?? 0); nth++) {
          for (const kind of CALL_FAULTS) {
            const struck = { ...one, name: `${kind} at ${operation} ${nth}`, scaled, rules: [{ service, operation, kind, nth, times: 1 }] };
            schedules.push(struck);
            // What was done before its answer was lost is done twice.
            if (kind === 'lost answer') schedules.push({ ...struck, name: `${struck.name}, tried again by the client`, retries: true });
          }
        }
      }
    }
    for (let at = 1; at <= checkpoints; at++) {
      for (const when of ['before', 'after'] as const)
        schedules.push({ ...one, name: `crash ${when} checkpoint ${at}`, crashes: { [at]: when } });
    }
    for (const moment of MOMENTS) {
      for (let nth = 1; nth <= 4; nth++) {
        schedules.push({ ...one, name: `${moment.kind} at ${moment.operation} ${nth}`, rules: [{ ...moment, nth, times: 1 }] });
        const alsoBack = [
          { ...moment, nth, times: 1 },
          { operation: 'RollBack', kind: 'silent' as const, nth: 1, times: 1 },
        ];
        schedules.push({ ...one, name: `${moment.kind} at ${moment.operation} ${nth}, rolled back silently`, rules: alsoBack });
        const noBack = [
          { ...moment, nth, times: 1 },
          { operation: 'RollBack', kind: 'fails' as const, nth: 1, times: 1 },
        ];
        schedules.push({ ...one, name: `${moment.kind} at ${moment.operation} ${nth}, and the rollback fails`, rules: noBack });
      }
    }
  }
  return schedules;
}

/** Two single faults in one promotion, drawn with a seed. */
export function pair(all: readonly Schedule[], seed: number): Schedule {
  const draw = random(seed);
  const pick = () => all[Math.floor(draw() * all.length)];
  const [a, b] = [pick(), pick()];
  return {
    ...a,
    ...Object.fromEntries(Object.entries(b).filter(([, value]) => value !== undefined)),
    name: `${a.name}; ${b.name}`,
    scaled: (a.scaled ?? false) || (b.scaled ?? false),
    errorRate: a.errorRate,
    rules: [...a.rules, ...b.rules],
    crashes: { ...a.crashes, ...b.crashes },
    rival: false,
  };
}

/** Failures of every kind at random, several crashes, now and then a rival: drawn with a seed. */
export function storm(seed: number, checkpoints: number): Schedule {
  const draw = random(seed);
  const rate = 0.01 + 0.14 * draw();
  const rules: FaultRule[] = Object.keys(OPERATIONS).flatMap((service) =>
    CALL_FAULTS.map((kind) => ({ service, kind, probability: (rate * draw()) / 2, times: 200 })),
  );
  for (const moment of MOMENTS) if (draw() < 0.15) rules.push({ ...moment, nth: 1 + Math.floor(4 * draw()), times: 1 });
  if (draw() < 0.2) rules.push({ operation: 'RollBack', kind: draw() < 0.5 ? 'silent' : 'fails', nth: 1, times: 1 });
  const crashes: Record<number, 'before' | 'after'> = {};
  for (let n = Math.floor(5 * draw()); n > 0; n--) crashes[1 + Math.floor(checkpoints * 1.5 * draw())] = draw() < 0.5 ? 'before' : 'after';
  const pick = <T>(from: readonly T[]): T => from[Math.floor(draw() * from.length)];
  const rival = draw() < 0.2;
  return {
    name: `storm ${seed}`,
    errorRate: pick(RATES),
    rules,
    crashes,
    rival,
    scaled: draw() < 0.3,
    retries: draw() < 0.5,
    // What follows a death or a refusal comes alone.
    ...(!rival && draw() < 0.15 ? { dies: 1 + Math.floor(checkpoints * draw()) } : {}),
    ...(!rival && draw() < 0.15 ? { denied: denial(pick(DENIABLE), 1 + Math.floor(4 * draw())) } : {}),
    ...(draw() < 0.2 ? { maintained: { operation: pick(CHANGES), nth: 1 + Math.floor(4 * draw()) } } : {}),
  };
}
