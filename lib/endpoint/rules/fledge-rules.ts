import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type IPolicyValidationContext,
  type IPolicyValidationPlugin,
  type PolicyValidationPluginReport,
  type PolicyViolation,
  Stack,
  Stage,
} from 'aws-cdk-lib/core';
import { RULES } from './catalogue';
import type { Rule } from './rule';
import { type TemplateResource, Templates } from './template';

/**
 * Finds in any CDK app, plain `CfnEndpoint`s included, the mistakes about SageMaker endpoints that CloudFormation and its linters let pass.
 * docs/rules.md lists them, each with its source.
 *
 * `Validations.of(app).addPlugins(new FledgeRules())`; a rule broken on purpose is acknowledged as `cdk-fledge::<rule>`.
 */
export class FledgeRules implements IPolicyValidationPlugin {
  /** As it stands in reports and acknowledgements. */
  public readonly name = 'cdk-fledge';
  /** Every rule. */
  public readonly ruleIds?: string[] = rules().map(({ id }) => id);

  /** Called by the CDK, once all templates are written. */
  public validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const paths = [...context.stackTemplates.map(({ templatePath }) => templatePath), ...nestedTemplates(context)];
    const app = new Templates(
      Object.fromEntries(paths.map((path) => [path, JSON.parse(readFileSync(path, 'utf8'))])),
      Object.fromEntries(stacksOf(context).map((stack) => [templatePath(stack), stack.environment])),
    );
    const violations = app.all().flatMap((resource) => violationsOf(resource, app));
    return { success: violations.every(({ severity }) => severity !== 'error'), violations };
  }
}

function rules(): readonly Rule[] {
  return Object.values(RULES).flat();
}

function violationsOf(resource: TemplateResource, app: Templates): PolicyViolation[] {
  return rules()
    .filter(({ types }) => types.includes(resource.type))
    .flatMap((rule) =>
      rule.check(resource, app).map(({ location, got }) => ({
        ruleName: rule.id,
        description: `${rule.says} Got: ${got}.`,
        fix: `${rule.remedy} See ${rule.source}`,
        severity: rule.severity,
        ruleMetadata: { source: rule.source },
        violatingResources: [{ resourceLogicalId: resource.logicalId, templatePath: resource.template.path, locations: [location] }],
      })),
    );
}

/** The CDK hands over the templates of stacks, and treats those of the stacks nested in them as assets. */
function nestedTemplates(context: IPolicyValidationContext): string[] {
  const given = new Set(context.stackTemplates.map(({ templatePath }) => templatePath));
  return stacksOf(context)
    .filter((stack) => stack.nested && given.has(templatePath(outermost(stack))))
    .map(templatePath);
}

function stacksOf({ appConstruct }: IPolicyValidationContext): Stack[] {
  return appConstruct.node.findAll().filter((construct) => Stack.isStack(construct));
}

function outermost(stack: Stack): Stack {
  return stack.nestedStackParent === undefined ? stack : outermost(stack.nestedStackParent);
}

function templatePath(stack: Stack): string {
  return join(Stage.of(stack)?.outdir ?? '', stack.templateFile);
}
