import { createHash } from 'node:crypto';
import { arn, type LocalContext } from '../context';
import type { MetricSource } from '../metrics';
import { JsonService, ServiceError } from '../server';
import type { ServiceModel } from '../shapes';
import model from '../shapes/application-autoscaling.json';
import { checkPolicy, type ScalingPolicy } from './policies';
import { keyOf, type RegisterInput, registered, type ScalableTarget, type TargetId, variantOf } from './scalable-targets';
import { type Breaches, Scaler, type Variants } from './scaler';
import { checkSchedule, type ScheduledAction } from './schedule';

interface ListInput extends Partial<TargetId> {
  readonly ResourceIds?: readonly string[];
  readonly PolicyNames?: readonly string[];
  readonly ScheduledActionNames?: readonly string[];
  readonly MaxResults?: number;
  readonly NextToken?: string;
}

/** Rows of a page where nobody says how many, and at most (Application Auto Scaling API reference, `MaxResults` of each). */
const PAGE = { ScalableTargets: 50, ScalingPolicies: 10, ScheduledActions: 50 } as const;

/** Application Auto Scaling of production variants: targets, target tracking, step scaling by alarms, scheduled actions. */
export class ScalingService extends JsonService {
  private readonly targets;
  private readonly policies;
  private readonly actions;

  constructor(
    private readonly context: LocalContext,
    private readonly variants: Variants,
    sources: readonly MetricSource[],
    breaches: Breaches,
  ) {
    super(model as unknown as ServiceModel, {
      RegisterScalableTarget: (input: RegisterInput) => this.register(input),
      DescribeScalableTargets: (input: ListInput) =>
        paged(
          'ScalableTargets',
          this.targets.values().filter((one) => fits(one, input)),
          input,
          ({ created, ...rest }) => ({ ...rest, CreationTime: new Date(created), ScalableTargetARN: this.arnOf(rest) }),
        ),
      DeregisterScalableTarget: (input: TargetId) => this.deregister(input),
      PutScalingPolicy: (input: Omit<ScalingPolicy, 'created'>) => this.putPolicy(input),
      DescribeScalingPolicies: (input: ListInput) =>
        paged(
          'ScalingPolicies',
          this.policies.values().filter((one) => fits(one, input) && (input.PolicyNames?.includes(one.PolicyName) ?? true)),
          input,
          ({ created, ...rest }) => ({ ...rest, Alarms: [], CreationTime: new Date(created), PolicyARN: this.policyArn(rest) }),
        ),
      DeleteScalingPolicy: (input: TargetId & { PolicyName: string }) =>
        this.remove(this.policies, `${keyOf(input)}|${input.PolicyName}`, `scaling policy ${input.PolicyName}`),
      PutScheduledAction: (input: Omit<ScheduledAction, 'created'>) => this.putAction(input),
      DescribeScheduledActions: (input: ListInput) =>
        paged(
          'ScheduledActions',
          this.actions
            .values()
            .filter((one) => fits(one, input) && (input.ScheduledActionNames?.includes(one.ScheduledActionName) ?? true)),
          input,
          ({ created, ...rest }) => ({
            ...rest,
            CreationTime: new Date(created),
            ScheduledActionARN: this.resourceArn('scheduledAction', rest, `scheduledActionName/${rest.ScheduledActionName}`),
          }),
        ),
      DeleteScheduledAction: (input: TargetId & { ScheduledActionName: string }) =>
        this.remove(this.actions, `${keyOf(input)}|${input.ScheduledActionName}`, `scheduled action ${input.ScheduledActionName}`),
    });
    this.targets = context.state.table<ScalableTarget>('scalable-targets');
    this.policies = context.state.table<ScalingPolicy>('scaling-policies');
    this.actions = context.state.table<ScheduledAction>('scheduled-actions');
    const { targets, policies, actions } = this;
    new Scaler(context, variants, sources, breaches, { targets, policies, actions, policyArn: (policy) => this.policyArn(policy) });
  }

  override async run(name: string, given: unknown): Promise<unknown> {
    const output = await super.run(name, given);
    this.context.state.flush();
    return output;
  }

  private register(input: RegisterInput) {
    const place = variantOf(input);
    const found = place && this.variants.find(place.endpoint, place.variant);
    const target = registered(this.targets, input, found, this.context.account, this.context.clock.now());
    this.targets.set(keyOf(input), target);
    return { ScalableTargetARN: this.arnOf(target) };
  }

  private deregister(input: TargetId) {
    const gone = this.remove(this.targets, keyOf(input), 'scalable target');
    for (const [key, policy] of this.policies.entries()) if (keyOf(policy) === keyOf(input)) this.policies.delete(key);
    for (const [key, action] of this.actions.entries()) if (keyOf(action) === keyOf(input)) this.actions.delete(key);
    return gone;
  }

  private putPolicy(input: Omit<ScalingPolicy, 'created'>) {
    this.mustHave(input);
    const policy = { ...input, PolicyType: input.PolicyType ?? 'StepScaling' };
    checkPolicy(policy);
    this.policies.set(`${keyOf(input)}|${input.PolicyName}`, { ...policy, created: this.context.clock.now() });
    return { PolicyARN: this.policyArn(policy), Alarms: [] };
  }

  private putAction(input: Omit<ScheduledAction, 'created'>) {
    this.mustHave(input);
    const key = `${keyOf(input)}|${input.ScheduledActionName}`;
    const action = { ...this.actions.get(key), ...input };
    checkSchedule(action);
    this.actions.set(key, { ...action, created: this.context.clock.now() });
    return {};
  }

  private mustHave(id: TargetId): void {
    if (!this.targets.has(keyOf(id))) throw notFound(`scalable target`, id);
  }

  private remove(table: { delete(key: string): boolean }, key: string, what: string) {
    if (!table.delete(key)) throw new ServiceError('ObjectNotFoundException', `No ${what} found for ${key.split('|').join(', ')}`);
    return {};
  }

  private arnOf(target: TargetId): string {
    return arn(this.context, 'application-autoscaling', `scalable-target/${digest(keyOf(target)).slice(0, 36)}`);
  }

  private policyArn(policy: TargetId & { PolicyName: string }): string {
    return this.resourceArn('scalingPolicy', policy, `policyName/${policy.PolicyName}`);
  }

  private resourceArn(kind: string, target: TargetId, name: string): string {
    const id = digest(`${keyOf(target)}|${name}`).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*/, '$1-$2-$3-$4-$5');
    return arn(this.context, 'autoscaling', `${kind}:${id}:resource/${target.ServiceNamespace}/${target.ResourceId}:${name}`);
  }
}

const digest = (text: string): string => createHash('sha256').update(text).digest('hex');

const notFound = (what: string, id: TargetId): ServiceError =>
  new ServiceError(
    'ObjectNotFoundException',
    `No ${what} registered for service namespace: ${id.ServiceNamespace}, resource ID: ${id.ResourceId}, scalable dimension: ${id.ScalableDimension}`,
  );

function fits(one: TargetId, { ServiceNamespace, ResourceId, ResourceIds, ScalableDimension }: ListInput): boolean {
  const named = (ResourceId === undefined || one.ResourceId === ResourceId) && (ResourceIds?.includes(one.ResourceId) ?? true);
  return (
    named && one.ServiceNamespace === ServiceNamespace && (ScalableDimension === undefined || one.ScalableDimension === ScalableDimension)
  );
}

function paged<T, R>(member: keyof typeof PAGE, rows: readonly T[], input: ListInput, shown: (row: T) => R): Record<string, unknown> {
  const from = input.NextToken === undefined ? 0 : Number(Buffer.from(input.NextToken, 'base64url').toString());
  if (!(from >= 0)) throw new ServiceError('InvalidNextTokenException', 'The next token is invalid');
  const most = PAGE[member];
  const { MaxResults = most } = input;
  if (!(MaxResults >= 1 && MaxResults <= most))
    throw new ServiceError('ValidationException', `Max results must be between 1 and ${most}, got ${MaxResults}`);
  const until = from + MaxResults;
  return {
    [member]: rows.slice(from, until).map(shown),
    NextToken: until < rows.length ? Buffer.from(String(until)).toString('base64url') : undefined,
  };
}
