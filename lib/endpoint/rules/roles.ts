import { IAM_ACTIONS, S3_OPERATIONS } from './iam-actions';
import { ENDPOINT, findIf, MODEL, type Rule } from './rule';
import { configOf, modelOf, rollbackAlarms, variantsOf } from './serving';
import { at, list, record, referent, type TemplateResource, type Templates, text } from './template';

const ROLE = 'AWS::IAM::Role';
const POLICIES = ['AWS::IAM::Policy', 'AWS::IAM::ManagedPolicy', 'AWS::IAM::RolePolicy'];
const ROLES = 'https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html';

interface Statement {
  readonly effect?: string;
  readonly actions: string[];
  readonly principals: unknown[];
  readonly conditions: Record<string, unknown>;
  readonly location: string;
}

function statements(document: unknown, location: string): Statement[] {
  const all = record(document).Statement;
  return (Array.isArray(all) ? all : [all]).map((raw, index) => {
    const { Effect, Action, Principal, Condition } = record(raw);
    const services = record(Principal).Service;
    return {
      effect: text(Effect),
      actions: (Array.isArray(Action) ? Action : [Action]).flatMap((action) => text(action) ?? []),
      principals: Array.isArray(services) ? services : services === undefined ? [] : [services],
      conditions: record(Condition),
      location: `${location}.Statement.${index}.Action`,
    };
  });
}

/** Every statement that a role, a policy or a managed policy has of its own. */
function grantedBy({ type, properties }: TemplateResource): Statement[] {
  if (type === ROLE) {
    return list(properties.Policies).flatMap((policy, index) =>
      statements(at(policy, 'PolicyDocument'), `Policies.${index}.PolicyDocument`),
    );
  }
  return POLICIES.includes(type) ? statements(properties.PolicyDocument, 'PolicyDocument') : [];
}

function roleOf(model: TemplateResource | undefined, app: Templates): TemplateResource | undefined {
  return model && app.meant(model.properties.ExecutionRoleArn, model, ROLE, 'Arn');
}

/** What a role may do, as far as this app writes it; undefined where a managed policy of AWS or of another stack says more. */
function allowedTo(role: TemplateResource, app: Templates): string[] | undefined {
  const attached = app.all().filter(({ template, properties }) => {
    const roles = [...list(properties.Roles), properties.RoleName];
    return template === role.template && roles.some((one) => referent(one) === role.logicalId);
  });
  const own = list(role.properties.ManagedPolicyArns).map((arn) => role.template.resources[referent(arn) ?? '']);
  if (own.includes(undefined as never)) return undefined;
  return [role, ...attached, ...own].flatMap(grantedBy).flatMap(({ effect, actions }) => (effect === 'Allow' ? actions : []));
}

function matches(pattern: string, action: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 'i').test(action);
}

function misspelt(action: string): string | undefined {
  const [service = '', name] = action.split(':') as [string, string | undefined];
  if (action === '*') return undefined;
  if (name === undefined) return 'no service before a colon';
  if (service === 's3' && S3_OPERATIONS[name] !== undefined) return `an operation, allowed by ${S3_OPERATIONS[name]}`;
  const known = IAM_ACTIONS[service.toLowerCase()];
  if (known === undefined || [...known].some((one) => matches(name, one))) return undefined;
  return `no action of ${service}`;
}

/** Roles that SageMaker cannot take on, that may do too much, or what they may not do. */
export const roleRules: Rule[] = [
  {
    id: 'role-does-not-trust-sagemaker',
    says: 'The model’s role does not trust sagemaker.amazonaws.com: the model cannot be created.',
    remedy: 'Let sagemaker.amazonaws.com assume the role.',
    source: ROLES,
    severity: 'error',
    types: [MODEL],
    check: (model, app) => {
      const role = roleOf(model, app);
      if (role === undefined) return [];
      const principals = statements(role.properties.AssumeRolePolicyDocument, '').flatMap((statement) => statement.principals);
      return findIf(
        !principals.includes('sagemaker.amazonaws.com'),
        'ExecutionRoleArn',
        principals.length === 0 ? 'no service' : principals.join(', '),
      );
    },
  },
  {
    id: 'role-trusts-any-account',
    says: 'The model’s role trusts SageMaker on behalf of whichever account: another could have it act for itself.',
    remedy: 'Add the condition aws:SourceAccount to the trust.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/security-confused-deputy-prevention.html',
    severity: 'warning',
    types: [MODEL],
    check: (model, app) => {
      const role = roleOf(model, app);
      const trusting = statements(role?.properties.AssumeRolePolicyDocument, '').filter(({ principals }) =>
        principals.includes('sagemaker.amazonaws.com'),
      );
      const open = trusting.filter(({ conditions }) => !/aws:Source(Account|Arn|OrgID)/i.test(JSON.stringify(conditions)));
      return findIf(open.length > 0, 'ExecutionRoleArn', role?.logicalId);
    },
  },
  {
    id: 'role-has-full-access',
    says: 'The model’s role has AmazonSageMakerFullAccess: a container that is broken into may change every model, and read every bucket named after SageMaker.',
    remedy: 'Write out what serving this model needs.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/security-iam-awsmanpol.html',
    severity: 'error',
    types: [MODEL],
    check: (model, app) => {
      const arns = JSON.stringify(list(roleOf(model, app)?.properties.ManagedPolicyArns));
      const policy = /(AmazonSageMakerFullAccess|AdministratorAccess|AmazonS3FullAccess)"/.exec(arns)?.[1];
      return findIf(policy !== undefined, 'ExecutionRoleArn', policy);
    },
  },
  {
    id: 'role-cannot-read-rollback-alarms',
    says: 'The role of the endpoint’s model may not cloudwatch:DescribeAlarms: the update cannot watch its alarms.',
    remedy: 'Allow cloudwatch:DescribeAlarms.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/deployment-guardrails-configuration.html',
    severity: 'error',
    types: [ENDPOINT],
    check: (endpoint, app) => {
      const config = configOf(endpoint, app);
      if (config === undefined || rollbackAlarms(endpoint, app).length === 0) return [];
      const roles = new Set(variantsOf(config).flatMap((variant) => roleOf(modelOf(variant, config, app), app) ?? []));
      return [...roles].flatMap((role) => {
        const allowed = allowedTo(role, app);
        return findIf(
          allowed !== undefined && !allowed.some((pattern) => matches(pattern, 'cloudwatch:DescribeAlarms')),
          'DeploymentConfig.AutoRollbackConfiguration',
          role.logicalId,
        );
      });
    },
  },
  {
    id: 'iam-action-does-not-exist',
    says: 'A statement allows an action that IAM does not know: it allows nothing.',
    remedy: 'Spell it as the service authorization reference does.',
    source: 'https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html',
    severity: 'warning',
    types: [ROLE, ...POLICIES],
    check: (resource) =>
      grantedBy(resource).flatMap(({ actions, location }) =>
        actions.flatMap((action) => {
          const why = misspelt(action);
          return findIf(why !== undefined, location, `${action}: ${why}`);
        }),
      ),
  },
];
