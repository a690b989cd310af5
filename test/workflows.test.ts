import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

const folder = join(__dirname, '..', '.github', 'workflows');
const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  return { name, text, content: parse(text) as { permissions: object; jobs: Record<string, Job> } };
});

interface Job {
  readonly permissions?: Record<string, string>;
  readonly steps: { readonly uses?: string; readonly run?: string; readonly with?: Record<string, string> }[];
}

// What only actionlint can say of them, `npm run lint:workflows` says.
describe('the GitHub workflows', () => {
  test.each(workflows)('$name pins every action by its digest', ({ content }) => {
    const actions = Object.values(content.jobs).flatMap((job) => job.steps.flatMap((step) => step.uses ?? []));
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w/-]+@[0-9a-f]{40}$/);
  });

  test.each(workflows)('$name may only read, but for the job that signs in by OIDC', ({ content }) => {
    expect(content.permissions).toEqual({ contents: 'read' });
    for (const job of Object.values(content.jobs)) {
      const signsIn = job.steps.some((step) => step.uses?.startsWith('aws-actions/configure-aws-credentials@'));
      expect(job.permissions).toEqual(signsIn ? { contents: 'read', 'id-token': 'write' } : undefined);
    }
  });

  test.each(workflows)('$name holds no long-lived key', ({ text }) => {
    expect(text).not.toMatch(/aws-access-key-id|aws-secret-access-key|secrets\./);
  });

  test('a pull request shows the diff, main deploys', () => {
    const commands = (name: string) =>
      Object.values(workflows.find((workflow) => workflow.name === name)!.content.jobs).flatMap((job) =>
        job.steps.map((step) => step.run ?? ''),
      );
    expect(commands('pull-request.yml').join()).toContain('npx cdk diff');
    expect(commands('pull-request.yml').join()).not.toContain('cdk deploy');
    expect(commands('deploy.yml').join()).toContain('npx cdk deploy');
  });
  test('the diff is that of the deployment: both take the canary from the same variable', () => {
    for (const { content } of workflows) {
      const steps = Object.values(content.jobs).flatMap((job) => job.steps);
      const cdk = steps.find(({ run }) => run?.includes('npx cdk'))!.run!;
      expect(cdk.split('\n').find((line) => line.includes('npx cdk'))).toMatch(
        /\{\{ vars\.FLEDGE_CANARY == 'true' && '-c rollout=canary' \|\| '' \}\}/,
      );
    }
  });
});
