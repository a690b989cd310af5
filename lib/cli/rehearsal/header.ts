import { InvokeEndpointCommand } from '@aws-sdk/client-sagemaker-runtime';
import type { Ports } from '../../promotion';
import { rowsIn } from './known-value';
import type { Traffic } from './traffic';

/**
 * The traffic in the form that the endpoint's model takes: a model's own code may want a header, or none, or take one for a row. Its
 * first request is asked both ways.
 */
export async function asTaken({ runtime }: Pick<Ports, 'runtime'>, endpointName: string, traffic: Traffic): Promise<Traffic> {
  const { header, contentType, bodies } = traffic;
  if (header === undefined) return traffic;
  const rowsFor = async (body: string): Promise<number | undefined> => {
    const question = new InvokeEndpointCommand({ EndpointName: endpointName, ContentType: contentType, Accept: 'text/csv', Body: body });
    const answer = await runtime.send(question).catch(() => undefined);
    return answer && rowsIn(answer.Body!, answer.ContentType);
  };
  const withHeader = await rowsFor(`${header}\n${bodies[0]}`);
  const without = await rowsFor(bodies[0]);
  const wantsNone = without !== undefined && (withHeader === undefined || withHeader > without);
  return wantsNone ? { ...traffic, header: undefined } : traffic;
}
