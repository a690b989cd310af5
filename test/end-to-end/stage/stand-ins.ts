/**
 * Types that MiniStack's CloudFormation does not know, and alarms, which must be where the metrics are: a function of the test does with their properties, on the local
 * SageMaker, what CloudFormation does.
 */
export const STAND_INS = [
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::ApplicationAutoScaling::ScalingPolicy',
  'AWS::CloudWatch::Alarm',
  'AWS::SageMaker::Endpoint',
  'AWS::SageMaker::ModelPackage',
  'AWS::SageMaker::ModelPackageGroup',
] as const;

/** Types that neither MiniStack nor the local SageMaker knows: they are taken out, and looked at in the template alone. */
export const LEFT_OUT: readonly string[] = ['AWS::CloudWatch::CompositeAlarm'];

export type StandInType = (typeof STAND_INS)[number];

/** One resource of a template. */
export interface Resource {
  Type: string;
  Properties?: Record<string, unknown>;
  Metadata?: Record<string, unknown>;
  [more: string]: unknown;
}

export interface Template {
  Resources: Record<string, Resource>;
  Outputs?: Record<string, unknown>;
}

/** What `cdk synth` wrote. */
export interface Synthesised {
  readonly assembly: string;
  /** As synthesised: nothing stood in for, nothing left out. */
  readonly template: Template;
}

/** Paths of the resources that one of the templates has otherwise than the other, without what is named by content. */
export function changedPaths({ Resources: before }: Template, { Resources: after }: Template): string[] {
  const ids = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return ids
    .filter((id) => JSON.stringify(before[id]) !== JSON.stringify(after[id]))
    .map((id) => String((after[id] ?? before[id]).Metadata?.['aws:cdk:path']))
    .map((path) => path.replace(/^[^/]+\//, '').replace(/(?<=\/Version-)[0-9a-f]+$/, ''))
    .sort();
}

const isStandIn = (type: string): boolean => (STAND_INS as readonly string[]).includes(type);

/**
 * The template as MiniStack can deploy it: the properties of every resource stay as they are, and so do order, references and what is kept on deletion.
 *
 * @param serviceToken ARN of the function that stands in
 * @throws Error when something refers to a resource that was left out
 */
export function withStandIns(template: Template, serviceToken: string): Template {
  const gone = Object.keys(template.Resources).filter((id) => LEFT_OUT.includes(template.Resources[id].Type));
  const Resources = Object.fromEntries(
    Object.entries(template.Resources)
      .filter(([id]) => !gone.includes(id))
      .map(([id, { Type, Properties, ...rest }]): [string, Resource] => {
        if (!isStandIn(Type)) return [id, { Type, Properties, ...rest }];
        return [id, { ...rest, Type: 'Custom::StandIn', Properties: { ServiceToken: serviceToken, Of: Type, Given: Properties } }];
      }),
  );
  const rest = { ...template, Resources };
  const text = JSON.stringify(rest);
  const missed = gone.find((id) => text.includes(`"${id}"`));
  if (missed !== undefined) throw new Error(`${missed} cannot be left out: another resource refers to it`);
  return rest;
}
