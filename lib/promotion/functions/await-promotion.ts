import { type DurableContext, withDurableExecution } from '@aws/durable-execution-sdk-js';
import { DescribeEndpointConfigCommand } from '@aws-sdk/client-sagemaker';
import { isTransient, saying } from '../aws-errors';
import { packageOf } from '../configurations';
import { look } from '../endpoint';
import { awsPorts, type Ports } from '../ports';
import { history } from '../record';
import { Store } from '../store';
import { answering, type CustomResourceEvent } from './custom-resource';

/** What CloudFormation waits for. */
export interface AwaitedPromotion {
  readonly EndpointName: string;
  readonly Bucket: string;
  readonly ModelPackageArn: string;
}

/** Less than the hour that CloudFormation waits for a custom resource, so that it hears why. Milliseconds. */
const PATIENCE = 58 * 60_000;

/** How it stands: `` while it is open, `promoted`, or why not. */
export async function standing(ports: Ports, { EndpointName, Bucket, ModelPackageArn }: AwaitedPromotion, since: number): Promise<string> {
  if ((await servedPackage(ports, EndpointName)) === ModelPackageArn) return 'promoted';
  const outcomes = await history(new Store(ports, Bucket), EndpointName);
  const outcome = outcomes.filter((one) => one.modelPackageArn === ModelPackageArn && one.endedAt >= since).at(-1);
  if (outcome === undefined || outcome.verdict === 'promoted') return outcome?.verdict ?? '';
  return `${ModelPackageArn} was ${outcome.verdict}: ${outcome.reason}`;
}

/** The one package that an endpoint at rest serves; null while two versions serve. */
async function servedPackage(ports: Ports, endpointName: string): Promise<string | null> {
  const { configName } = await look(ports, endpointName);
  const config = await ports.sagemaker.send(new DescribeEndpointConfigCommand({ EndpointConfigName: configName }));
  return config.ProductionVariants?.length === 1 ? packageOf(ports, config.ProductionVariants[0].ModelName!) : null;
}

const ports = awsPorts();

/** The Lambda function of `Custom::AwaitedPromotion`: durable, since CloudFormation waits longer than a function may run. */
export const handler = withDurableExecution(
  async (event: CustomResourceEvent<AwaitedPromotion>, context: DurableContext): Promise<void> => {
    const since = await context.step('begin', async () => ports.now());
    const found =
      event.RequestType === 'Delete'
        ? 'promoted'
        : await context.waitForCondition(
            'wait for the promotion',
            async () => {
              const late =
                ports.now() - since > PATIENCE ? `${event.ResourceProperties.ModelPackageArn} was not decided on within 58 minutes` : '';
              try {
                return (await standing(ports, event.ResourceProperties, since)) || late;
              } catch (error) {
                return isTransient(error) ? late : `the promotion could not be followed: ${saying(error)}`;
              }
            },
            {
              initialState: '',
              waitStrategy: (state) => (state === '' ? { shouldContinue: true, delay: { seconds: 15 } } : { shouldContinue: false }),
            },
          );
    await context.step('answer', () =>
      answering(event, async () => {
        if (found !== 'promoted') throw new Error(found);
        return event.ResourceProperties.ModelPackageArn;
      }),
    );
  },
);
