import { type Control, say } from './controls';
import { insist } from './durable';
import { type ApprovalWanted, announce } from './notices';
import { note } from './record';
import { type Stretches, wellEnded } from './stretches';
import type { Tick, Watch } from './tick';
import type { UnderWay } from './under-way';

/**
 * Waits until a person agrees, by the callback of the notice or by `fledge approve`; all the while the judge goes on judging.
 *
 * An answer to the callback is written down as if it had been said by the command, and the stretch ends by it. A stretch that ended otherwise has ended: nobody listens any more.
 *
 * @throws Withdrawal where nobody agrees in time, somebody refuses, or the candidate turns bad meanwhile
 */
export async function waitForApproval(way: UnderWay, stretches: Stretches, watch: Watch, sentence: string): Promise<Tick> {
  const first = await way.context.parallel<Tick | string>(
    'wait for a person',
    [(context) => stretches.follow(watch, context), (context) => listen({ ...way, context }, sentence)],
    { completionConfig: { minSuccessful: 1 } },
  );
  const end = first.getResults().find((one) => typeof one !== 'string');
  return end === undefined ? stretches.watch(watch, 'hold') : wellEnded(watch, end, 'hold');
}

async function listen(way: UnderWay, sentence: string): Promise<string> {
  const { context, ports, store, request } = way;
  const [answer, callbackId] = await context.createCallback<string>('approval');
  const approval = wanted(request.modelPackageArn, callbackId);
  await insist(context, 'note that approval is wanted', () =>
    note(store, request, '300-approval-wanted', {
      at: ports.now(),
      what: 'approval wanted',
      sentence: `approval wanted: ${approval.approve}`,
    }),
  );
  await announce(way, 'approval wanted', { sentence, approval });
  const said = await heardFrom(answer);
  await insist(context, 'write down the answer', () => say(ports, store, request.endpointName, request.promotionId, said));
  return said.command;
}

/** An answer to the callback as the word that it is. */
async function heardFrom(answer: PromiseLike<string>): Promise<Omit<Control, 'at'>> {
  try {
    return { command: 'approve', by: approverOf(await answer) };
  } catch (error) {
    const { message, cause } = error as Error;
    return { command: 'abort', by: refuserOf(cause), reason: message };
  }
}

function wanted(modelPackageArn: string, callbackId: string): ApprovalWanted {
  const command = (ending: string, answer: string) =>
    `aws lambda send-durable-execution-callback-${ending} --region ${modelPackageArn.split(':')[3]} --callback-id '${callbackId}' ${answer}`;
  return {
    callbackId,
    approve: command('success', `--cli-binary-format raw-in-base64-out --result '{"by":"YOUR NAME"}'`),
    reject: command('failure', `--error '{"ErrorType":"YOUR NAME","ErrorMessage":"WHY"}'`),
  };
}

/** Who approved, as the callback's result says: a JSON object's `by`, else the text itself. */
function approverOf(payload: string | undefined): string {
  const text = (payload ?? '').trim();
  try {
    const parsed = JSON.parse(text) as { by?: unknown } | string | null;
    if (typeof parsed === 'string' && parsed !== '') return parsed;
    if (typeof parsed === 'object' && typeof parsed?.by === 'string' && parsed.by !== '') return parsed.by;
  } catch {
    if (text !== '') return text;
  }
  return 'whoever answered the callback';
}

/** Who refused: the error's type, where one was given. */
function refuserOf(cause: unknown): string {
  const type = cause instanceof Error ? cause.name : 'Error';
  return type === 'Error' ? 'whoever answered the callback' : type;
}
