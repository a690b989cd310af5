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

/** How it stands: `` while it is open, `promoted`, or why not. A package is the deployment's own: whatever was decided on it counts. */
async function standing(ports: Ports, { EndpointName, Bucket, ModelPackageArn }: AwaitedPromotion): Promise<string> {
  const served = await servedPackage(ports, EndpointName);
  if (served === ModelPackageArn) return 'promoted';
  const outcomes = await history(new Store(ports, Bucket), EndpointName);
  const outcome = outcomes.filter((one) => one.modelPackageArn === ModelPackageArn).at(-1);
  if (outcome !== undefined)
    return outcome.verdict === 'promoted' ? 'promoted' : `${ModelPackageArn} was ${outcome.verdict}: ${outcome.reason}`;
  // A stack that goes back names a version that was live before: nothing promotes it again.
  return served !== null && isLater(served, ModelPackageArn) ? 'promoted' : '';
}

/** Whether a package is a later version of the other's group. */
function isLater(one: string, other: string): boolean {
  const [a, b] = [one, other].map((arn) => /^(.*)\/(\d+)$/.exec(arn));
  return a?.[1] === b?.[1] && Number(a?.[2]) > Number(b?.[2]);
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
      event.RequestType === 'Delete' || event.PhysicalResourceId === event.ResourceProperties.ModelPackageArn
        ? 'promoted'
        : await context.waitForCondition(
            'wait for the promotion',
            async () => {
              const late =
                ports.now() - since > PATIENCE ? `${event.ResourceProperties.ModelPackageArn} was not decided on within 58 minutes` : '';
              try {
                return (await standing(ports, event.ResourceProperties)) || late;
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
