import { saying } from '../aws-errors';

/** What CloudFormation sends a custom resource's function. */
export interface CustomResourceEvent<P> {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: P;
  /** Of an update. */
  readonly OldResourceProperties?: P;
}

/** Tries to tell CloudFormation the answer: without it a stack waits for an hour. */
const ATTEMPTS = 5;

/** Carries a request out and answers CloudFormation, whatever comes. */
export async function answering<P>(event: CustomResourceEvent<P>, carryOut: () => Promise<string>): Promise<void> {
  const { StackId, RequestId, LogicalResourceId } = event;
  const answer = { StackId, RequestId, LogicalResourceId };
  try {
    const PhysicalResourceId = await carryOut();
    await respond(event.ResponseURL, { ...answer, Status: 'SUCCESS', PhysicalResourceId });
  } catch (error) {
    const PhysicalResourceId = event.PhysicalResourceId ?? `${LogicalResourceId}-not-made`;
    await respond(event.ResponseURL, { ...answer, Status: 'FAILED', PhysicalResourceId, Reason: saying(error) });
  }
}

async function respond(url: string, answer: object): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      // The signed URL is for no content type.
      const { ok, status } = await fetch(url, { method: 'PUT', headers: { 'content-type': '' }, body: JSON.stringify(answer) });
      if (ok) return;
      throw new Error(`CloudFormation's answer address said ${status}`);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await new Promise((resolve) => setTimeout(resolve, 500 * 2 ** attempt));
    }
  }
}
