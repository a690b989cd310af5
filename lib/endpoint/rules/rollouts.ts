import { ENDPOINT, type Finding, findIf, type Rule } from './rule';
import { configNamed, configOf, endpointOf, fleetsOf, rollbackAlarms, variantsOf, watchedBy } from './serving';
import { at, list, number, record, referent, type TemplateResource, text } from './template';

const CANARY = 'https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-canary.html';
const LINEAR = 'https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-blue-green-linear.html';
const ROLLING = 'https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-rolling.html';
const ALARMS = 'https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html';
const EXCLUSIONS = 'https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-exclusions.html';
const POLICY = 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BlueGreenUpdatePolicy.html';

const BLUE_GREEN = 'DeploymentConfig.BlueGreenUpdatePolicy';
const ROUTING = `${BLUE_GREEN}.TrafficRoutingConfiguration`;
const BATCHES = 'DeploymentConfig.RollingUpdatePolicy';

/** The part of the fleet that one step moves, where steps there are. */
interface Step {
  readonly location: string;
  readonly type?: string;
  readonly value?: number;
}

function inside(endpoint: TemplateResource, location: string): unknown {
  return at(endpoint.properties, ...location.split('.'));
}

function step(endpoint: TemplateResource, location: string): Step {
  const { Type, Value } = record(inside(endpoint, location));
  return { location, type: text(Type), value: number(Value) };
}

function stepsOf(endpoint: TemplateResource): Step[] {
  return [`${ROUTING}.CanarySize`, `${ROUTING}.LinearStepSize`, `${BATCHES}.MaximumBatchSize`]
    .map((location) => step(endpoint, location))
    .filter(({ value }) => value !== undefined);
}

function percentOutside(endpoint: TemplateResource, location: string, least: number, most: number): Finding[] {
  const { type, value } = step(endpoint, location);
  return findIf(type === 'CAPACITY_PERCENT' && value !== undefined && (value < least || value > most), location, `${value} %`);
}

/** How often a rollout waits. */
function waitsOf(endpoint: TemplateResource): { readonly timeout?: number; readonly timeoutAt: string; readonly waiting: number } {
  const seconds = (location: string) => number(inside(endpoint, location)) ?? 0;
  if (inside(endpoint, BATCHES) !== undefined) {
    const timeoutAt = `${BATCHES}.MaximumExecutionTimeoutInSeconds`;
    const waiting = times(step(endpoint, `${BATCHES}.MaximumBatchSize`)) * seconds(`${BATCHES}.WaitIntervalInSeconds`);
    return { timeout: number(inside(endpoint, timeoutAt)), timeoutAt, waiting };
  }
  const timeoutAt = `${BLUE_GREEN}.MaximumExecutionTimeoutInSeconds`;
  const steps =
    { CANARY: 1, LINEAR: times(step(endpoint, `${ROUTING}.LinearStepSize`)) }[text(inside(endpoint, `${ROUTING}.Type`)) ?? ''] ?? 0;
  const waiting = steps * seconds(`${ROUTING}.WaitIntervalInSeconds`) + seconds(`${BLUE_GREEN}.TerminationWaitInSeconds`);
  return { timeout: number(inside(endpoint, timeoutAt)), timeoutAt, waiting };
}

function times({ type, value }: Step): number {
  return type === 'CAPACITY_PERCENT' && value !== undefined && value > 0 ? Math.ceil(100 / value) : 1;
}

/** What SageMaker's deployment guardrails refuse, ignore, or do without a rollback. */
export const rolloutRules: Rule[] = [
  {
    id: 'canary-above-half',
    says: 'The canary is not 1 to 50 percent of the fleet: SageMaker refuses it.',
    remedy: 'Use a CanarySize of at most 50 percent.',
    source: CANARY,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint) => percentOutside(endpoint, `${ROUTING}.CanarySize`, 1, 50),
  },
  {
    id: 'linear-step-out-of-range',
    says: 'The linear step is not 10 to 50 percent of the fleet: SageMaker refuses it.',
    remedy: 'Use a LinearStepSize of 10 to 50 percent.',
    source: LINEAR,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint) => percentOutside(endpoint, `${ROUTING}.LinearStepSize`, 10, 50),
  },
  {
    id: 'rolling-batch-out-of-range',
    says: 'The rolling batch is not 5 to 50 percent of the fleet: SageMaker refuses it.',
    remedy: 'Use a MaximumBatchSize of 5 to 50 percent.',
    source: ROLLING,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint) => percentOutside(endpoint, `${BATCHES}.MaximumBatchSize`, 5, 50),
  },
  {
    id: 'step-exceeds-fleet',
    says: 'A step of the rollout is more than half of the instances that the variant starts with, or may be scaled in to. Whole instances move: one instance cannot be divided.',
    remedy: 'Start with at least two instances and scale in to no fewer, or move all at once: the same alarms roll back.',
    source: CANARY,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const smallest = Math.min(...fleetsOf(endpoint, app));
      return stepsOf(endpoint).flatMap(({ location, type, value = 0 }) => {
        const instances = type === 'INSTANCE_COUNT' ? value : 1;
        return findIf(instances > smallest / 2, location, `${instances} of ${smallest}`);
      });
    },
  },
  {
    id: 'step-below-one-instance',
    says: 'A step of the rollout is less than one of the instances that the variant starts with, or may be scaled in to. Whole instances move, so that it is a larger share of the requests than it says.',
    remedy: 'Say the percent that one instance is, or use more instances.',
    source: CANARY,
    severity: 'warning',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const smallest = Math.min(...fleetsOf(endpoint, app));
      return stepsOf(endpoint).flatMap(({ location, type, value = 0 }) =>
        findIf(
          type === 'CAPACITY_PERCENT' && Number.isFinite(smallest) && smallest >= 2 && (smallest * value) / 100 < 1,
          location,
          `${value} % of ${smallest}, which is ${Math.round(100 / smallest)} %`,
        ),
      );
    },
  },
  {
    id: 'two-update-policies',
    says: 'The endpoint has a blue/green and a rolling policy: SageMaker takes one.',
    remedy: 'Leave out BlueGreenUpdatePolicy or RollingUpdatePolicy.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DeploymentConfig.html',
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint) =>
      findIf(inside(endpoint, BLUE_GREEN) !== undefined && inside(endpoint, BATCHES) !== undefined, 'DeploymentConfig', 'both'),
  },
  {
    id: 'rollout-waits-are-invalid',
    says: 'A wait or the timeout of the rollout is out of range, or the waits use up the timeout: SageMaker refuses it, or rolls back a good version.',
    remedy: 'Use waits of 0 to 3600 s, and a timeout of 600 to 28800 s that is more than all of them.',
    source: POLICY,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint) => {
      const { timeout, timeoutAt, waiting } = waitsOf(endpoint);
      const waits = [`${ROUTING}.WaitIntervalInSeconds`, `${BLUE_GREEN}.TerminationWaitInSeconds`, `${BATCHES}.WaitIntervalInSeconds`];
      return [
        ...waits.flatMap((location) => {
          const seconds = number(inside(endpoint, location));
          return findIf(seconds !== undefined && (seconds < 0 || seconds > 3600), location, `${seconds} s`);
        }),
        ...findIf(timeout !== undefined && (timeout < 600 || timeout > 28_800), timeoutAt, `${timeout} s`),
        ...findIf(timeout !== undefined && timeout <= waiting, timeoutAt, `${timeout} s for ${waiting} s of waits`),
      ];
    },
  },
  {
    id: 'rollout-has-no-alarms',
    says: 'The rollout has no alarm, or more than 10: without one it never rolls back, and SageMaker refuses an eleventh.',
    remedy: 'Name 1 to 10 alarms in AutoRollbackConfiguration.',
    source: ALARMS,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint) => {
      if (inside(endpoint, BLUE_GREEN) === undefined && inside(endpoint, BATCHES) === undefined) return [];
      const alarms = inside(endpoint, 'DeploymentConfig.AutoRollbackConfiguration.Alarms');
      const count = list(alarms).length;
      return findIf(
        (alarms === undefined || Array.isArray(alarms)) && (count < 1 || count > 10),
        'DeploymentConfig.AutoRollbackConfiguration',
        `${count} alarms`,
      );
    },
  },
  {
    id: 'rollback-alarm-does-not-exist',
    says: 'A rollback alarm is in no template of this app: if it does not exist, every update fails.',
    remedy: 'Refer to the alarm’s resource; or acknowledge this where the alarm is made elsewhere.',
    source: ALARMS,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const composite = app.ofType('AWS::CloudWatch::CompositeAlarm');
      return rollbackAlarms(endpoint, app).flatMap(({ name, alarm }, index) => {
        const known =
          alarm !== undefined ||
          composite.some(({ logicalId, properties }) => properties.AlarmName === name || referent(name) === logicalId) ||
          (text(name) === undefined && endpoint.template.resources[referent(name) ?? ''] === undefined);
        return findIf(!known, `DeploymentConfig.AutoRollbackConfiguration.Alarms.${index}.AlarmName`, name);
      });
    },
  },
  {
    id: 'rollback-alarm-mixes-fleets',
    says: 'A rollback alarm watches the old and the new fleet together: the old one’s errors stop the update that would fix them, and hide among many requests the errors of the new.',
    remedy: 'Add the dimension EndpointConfigName with this deployment’s configuration.',
    source: ALARMS,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) =>
      rollbackAlarms(endpoint, app).flatMap(({ alarm }, index) => {
        const mixed = (alarm === undefined ? [] : watchedBy(alarm)).filter(
          ({ namespace, dimensions }) =>
            namespace === 'AWS/SageMaker' && dimensions.VariantName !== undefined && dimensions.EndpointConfigName === undefined,
        );
        return findIf(
          mixed.length > 0,
          `DeploymentConfig.AutoRollbackConfiguration.Alarms.${index}`,
          mixed.map(({ name }) => name).join(', '),
        );
      }),
  },
  {
    id: 'rollback-alarm-watches-another-fleet',
    says: 'A rollback alarm watches another endpoint, or a configuration that this deployment does not bring: it never goes off for the new fleet.',
    remedy: 'Take the dimensions EndpointName and EndpointConfigName from this endpoint and its configuration.',
    source: ALARMS,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const config = configOf(endpoint, app);
      return rollbackAlarms(endpoint, app).flatMap(({ alarm }, index) =>
        (alarm === undefined ? [] : watchedBy(alarm))
          .filter(({ namespace }) => namespace === 'AWS/SageMaker')
          .flatMap(({ dimensions: { EndpointName, EndpointConfigName } }) => {
            const location = `DeploymentConfig.AutoRollbackConfiguration.Alarms.${index}`;
            const other = endpointOf(EndpointName, alarm!, app);
            const watched = configNamed(EndpointConfigName, alarm!, app);
            const isLiteral = text(EndpointConfigName) !== undefined && watched === undefined;
            if (other !== undefined && other !== endpoint) return findIf(true, location, EndpointName);
            return findIf(
              config !== undefined && (isLiteral || (watched !== undefined && watched !== config)),
              location,
              EndpointConfigName,
            );
          }),
      );
    },
  },
  {
    id: 'rollback-alarm-slower-than-bake',
    says: 'A rollback alarm needs longer to go off than the rollout waits: what it would find is promoted.',
    remedy: 'Make the wait longer, or the alarm’s periods fewer or shorter.',
    source: ALARMS,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const rolling = number(inside(endpoint, `${BATCHES}.WaitIntervalInSeconds`));
      const wait =
        text(inside(endpoint, `${ROUTING}.Type`)) === 'ALL_AT_ONCE'
          ? `${BLUE_GREEN}.TerminationWaitInSeconds`
          : `${ROUTING}.WaitIntervalInSeconds`;
      const bake = rolling ?? number(inside(endpoint, wait)) ?? (inside(endpoint, BLUE_GREEN) === undefined ? undefined : 0);
      if (bake === undefined) return [];
      return rollbackAlarms(endpoint, app).flatMap(({ alarm }, index) => {
        if (alarm === undefined) return [];
        const { DatapointsToAlarm, EvaluationPeriods } = alarm.properties;
        const periods = number(DatapointsToAlarm ?? EvaluationPeriods) ?? 1;
        const longest = Math.max(0, ...watchedBy(alarm).map(({ period }) => period ?? 0)) * periods;
        return findIf(longest > bake, `DeploymentConfig.AutoRollbackConfiguration.Alarms.${index}`, `${longest} s for a wait of ${bake} s`);
      });
    },
  },
  {
    id: 'rolling-is-excluded',
    says: 'A rolling rollout is not for serverless endpoints, nor for several variants: SageMaker refuses it.',
    remedy: 'Use a blue/green policy.',
    source: EXCLUSIONS,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const config = configOf(endpoint, app);
      if (config === undefined || inside(endpoint, BATCHES) === undefined) return [];
      const variants = variantsOf(config);
      const serverless = variants.some((variant) => variant.serverless);
      return findIf(serverless || variants.length > 1, BATCHES, serverless ? 'serverless' : `${variants.length} variants`);
    },
  },
  {
    id: 'rollout-is-ignored',
    says: 'On Inf1 SageMaker ignores a canary, a linear and a rolling rollout, and moves all traffic at once, without a bake and without a word.',
    remedy: 'Take Inf2, or move all at once knowingly.',
    source: EXCLUSIONS,
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const config = configOf(endpoint, app);
      const inf1 = (config === undefined ? [] : variantsOf(config)).find(({ instanceType }) => instanceType?.startsWith('ml.inf1.'));
      return stepsOf(endpoint).flatMap(({ location }) => findIf(inf1 !== undefined, location, inf1?.instanceType));
    },
  },
];
