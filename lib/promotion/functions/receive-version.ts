import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { type HandOver, type HandOverPorts, takeOver } from '../hand-over';
import { HAND_OVER_VARIABLE } from '../hand-over-variable';
import type { Notice } from '../notices';

/** What SNS calls a function with. */
export interface TopicEvent {
  readonly Records: readonly { readonly Sns: { readonly TopicArn: string; readonly Message: string } }[];
}

/** Takes over what the notices offer. @throws what stood in the way: the notice is then tried again, and kept in the queue of the lost */
export async function receive(ports: HandOverPorts, handOver: HandOver, { Records }: TopicEvent): Promise<string[]> {
  const taken: string[] = [];
  for (const { TopicArn, Message } of Records.map(({ Sns }) => Sns)) {
    if (TopicArn !== handOver.from.topicArn)
      throw new Error(`${TopicArn} is not the topic ${handOver.from.topicArn} that offers versions here`);
    const found = await takeOver(ports, handOver, JSON.parse(Message) as Notice);
    if (found !== undefined) taken.push(found);
  }
  for (const version of taken) console.log(JSON.stringify({ taken: version }));
  return taken;
}

const retries = { maxAttempts: 5 };
const sagemaker = new SageMakerClient(retries);
const s3 = new S3Client({ ...retries, followRegionRedirects: true });

/** The Lambda function of a `VersionReceiver`. */
export const handler = (event: TopicEvent): Promise<string[]> => {
  const handOver = JSON.parse(process.env[HAND_OVER_VARIABLE]!) as HandOver;
  const [, , , region] = handOver.from.groupArn.split(':');
  return receive({ sagemaker, s3, theirs: new SageMakerClient({ ...retries, region }) }, handOver, event);
};
