import { PublishCommand } from '@aws-sdk/client-sns';
import { saying } from './aws-errors';
import { insist } from './durable';
import { note, promotionPrefix } from './record';
import type { Outcome, PromotionRequest } from './request';
import type { UnderWay } from './under-way';

/** What people are told of. */
export type News = 'started' | 'promoted' | 'rolled back' | 'held' | 'approval wanted';

/** How a person answers by the callback. */
export interface ApprovalWanted {
  readonly callbackId: string;
  /** Commands to run, with a name to fill in. */
  readonly approve: string;
  readonly reject: string;
}

/** A notice's message, as JSON. */
export interface Notice extends Pick<PromotionRequest, 'promotionId' | 'endpointName' | 'modelPackageArn'> {
  readonly news: News;
  /** For a person. */
  readonly sentence: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Where the record is: `s3://bucket/prefix`. */
  readonly record: string;
  /** How to answer, where approval is wanted. */
  readonly approval?: ApprovalWanted;
  /** How it ended, once it has. */
  readonly outcome?: Outcome;
}

/** Of the tries to publish: a notice is not worth more than about a minute. */
const ATTEMPTS = 6;

const PHRASES: Readonly<Record<News, (version: string) => string>> = {
  started: (version) => `${version} is on its way to live`,
  promoted: (version) => `${version} was promoted`,
  'rolled back': (version) => `${version} was rolled back`,
  held: (version) => `${version} is held`,
  'approval wanted': (version) => `approval wanted for ${version}`,
};

/**
 * Tells whoever listens to the request's topic, once: what was told is noted beside the record. A notice whose answer was lost may come twice, unless the topic is a FIFO
 * one. A notice that cannot be sent changes nothing of the promotion; the record says so.
 */
export async function announce(way: UnderWay, news: News, told: Pick<Notice, 'sentence' | 'outcome' | 'approval'>): Promise<void> {
  const { context, request } = way;
  if (request.topicArn === undefined) return;
  try {
    await insist(context, `announce: ${news}`, () => publish(way, request.topicArn!, news, told), ATTEMPTS);
  } catch (error) {
    const sentence = `the notice "${news}" could not be sent: ${saying(error)}`;
    const place = `${news === 'started' ? '001' : '998'}-notice-${news.replace(' ', '-')}`;
    const noted = () => note(way.store, request, place, { at: way.ports.now(), what: 'notice', sentence });
    // Where even that cannot be written, there is nobody left to tell.
    await insist(context, `note the notice that was not sent: ${news}`, noted, ATTEMPTS).catch(() => undefined);
  }
}

async function publish({ ports, store, request }: UnderWay, TopicArn: string, news: News, told: Pick<Notice, 'sentence'>): Promise<void> {
  const { promotionId, endpointName, modelPackageArn } = request;
  const prefix = promotionPrefix(endpointName, promotionId);
  const sent = `${prefix}notices/${news.replace(' ', '-')}.json`;
  if (await store.read(sent)) return;
  const message: Notice = {
    news,
    promotionId,
    endpointName,
    modelPackageArn,
    at: ports.now(),
    record: `s3://${request.bucket}/${prefix}`,
    ...told,
  };
  const once = TopicArn.endsWith('.fifo')
    ? { MessageGroupId: endpointName, MessageDeduplicationId: `${promotionId}-${news.replace(' ', '-')}` }
    : {};
  await ports.sns.send(
    new PublishCommand({ TopicArn, Subject: subjectOf(request, news), Message: JSON.stringify(message, null, 1), ...once }),
  );
  await store.create(sent, message);
}

/** At most 100 characters, as SNS wants it: the endpoint, and what became of which version. */
function subjectOf({ endpointName, modelPackageArn }: PromotionRequest, news: News): string {
  const [, group, version] = /model-package\/([^/]+)\/(\d+)$/.exec(modelPackageArn) ?? [];
  const named = version === undefined ? 'a version' : `version ${version}`;
  const whole = `${endpointName}: ${PHRASES[news](version === undefined ? named : `${group} ${named}`)}`;
  return whole.length <= 100 ? whole : `${endpointName}: ${PHRASES[news](named)}`;
}
