import { type LocalRequest, type LocalResponse, type Service, type ServiceError, signedService } from '../../../lib/local/server';

/** What somebody who subscribed would have got. */
export interface Told {
  readonly topic: string;
  readonly subject: string;
  readonly message: Record<string, unknown>;
  /** The deduplication id. */
  readonly once: string | null;
}

/** SNS as far as a promotion uses it: Publish, into memory. */
export class TopicInMemory implements Service {
  readonly name = 'SNS';
  readonly told: Told[] = [];

  handles(request: LocalRequest): boolean {
    return signedService(request) === 'sns';
  }

  point() {
    return { service: this.name, operation: 'Publish' };
  }

  async handle(request: LocalRequest): Promise<LocalResponse> {
    const asked = new URLSearchParams((await request.read(262_144)).toString());
    const subject = asked.get('Subject')!;
    if (!/^[\x21-\x7e][\x20-\x7e]{0,99}$/.test(subject)) return error('InvalidParameter', `Invalid parameter: Subject: ${subject}`, 400);
    const message = JSON.parse(asked.get('Message')!) as Record<string, unknown>;
    this.told.push({ topic: asked.get('TopicArn')!, subject, message, once: asked.get('MessageDeduplicationId') });
    return xml(200, `<PublishResponse><PublishResult><MessageId>${this.told.length}</MessageId></PublishResult></PublishResponse>`);
  }

  refuse({ code, message, status }: ServiceError): LocalResponse {
    return error(code, message, status);
  }
}

const error = (code: string, message: string, status: number): LocalResponse =>
  xml(status, `<ErrorResponse><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>`);

const xml = (status: number, body: string): LocalResponse => ({ status, headers: { 'content-type': 'text/xml' }, body });
