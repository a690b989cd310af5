import { alarmRules } from './alarms';
import { namingRules } from './naming';
import { roleRules } from './roles';
import { rolloutRules } from './rollouts';
import type { Rule } from './rule';
import { scalingRules } from './scaling';
import { variantRules } from './variants';

/**
 * Every rule, by what it is about.
 *
 * @internal
 */
export const RULES: Readonly<Record<string, readonly Rule[]>> = {
  'Names and artifacts': namingRules,
  'Variants and capacity': variantRules,
  Rollout: rolloutRules,
  Scaling: scalingRules,
  Alarms: alarmRules,
  'Roles and policies': roleRules,
};

/**
 * The rules as a page: docs/rules.md is this text, and a test holds it so.
 *
 * @internal
 */
export function rulesPage(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const rows = ({ id, says, remedy, source, severity }: Rule) =>
    `| \`${id}\` | ${severity} | ${cell(says)} | ${cell(remedy)} | [source](${source}) |`;
  const sections = Object.entries(RULES).map(([title, rules]) =>
    [`## ${title}`, '', '| Rule | Severity | What is wrong | What to do | Source |', '|---|---|---|---|---|', ...rules.map(rows)].join(
      '\n',
    ),
  );
  return `${[HEAD, ...sections].join('\n\n')}\n`;
}

const HEAD = `# Rules for SageMaker endpoints

Mistakes that CloudFormation, its schema, cfn-lint and cdk-nag let pass, and that fail or go unnoticed once deployed. The constructs of this
package do not make them, but for one warning: of a fleet that scales, the percent of a rollout may be less than one instance once it is scaled in
(\`step-below-one-instance\`); \`cdk synth\` then notes what it moves. For any other app, plain \`CfnEndpoint\`s included:

\`\`\`ts
import { Validations } from 'aws-cdk-lib/core';
import { FledgeRules } from 'cdk-fledge';

Validations.of(app).addPlugins(new FledgeRules());
\`\`\`

\`cdk synth\` then ends with a report of each breach, and fails on errors. Where a rule is broken on purpose, say why:

\`\`\`ts
Validations.of(config).acknowledge({ id: 'cdk-fledge::key-on-local-storage', reason: 'our policy demands the key' });
\`\`\`

A rule judges what is written out. What only the deployment knows (parameters, imports, another account's names) it lets pass.`;
