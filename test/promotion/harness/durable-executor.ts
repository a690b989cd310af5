import { randomUUID } from 'node:crypto';
import {
  type CheckpointDurableExecutionRequest,
  type CheckpointDurableExecutionResponse,
  type DurableContext,
  type DurableExecutionClient,
  type OperationUpdate,
  type WireOperation,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js';

/** The clock of the executions: waits jump it. */
export interface ExecutorClock {
  now(): number;
  jump(milliseconds: number): Promise<void>;
}

/** Runs the work of one process, and knows whether it still lives. */
export type Process = <T>(alive: () => boolean, work: () => Promise<T>) => Promise<T>;

type Handler = (request: never, context: DurableContext) => Promise<unknown>;

/**
 * Runs durable functions against a store of checkpoints in memory, waits in no real time, and lets the process die at chosen moments: what the service of AWS Lambda
 * does behind the SDK's `DurableExecutionClient`, with its semantics: an operation that was checkpointed is not run again, one that was not is.
 */
export class DurableExecutor implements DurableExecutionClient {
  private readonly arn = `arn:local:${randomUUID()}`;
  private readonly operations = new Map<string, WireOperation>();
  private readonly due = new Map<string, number>();
  private readonly callbacks = new Map<string, string>();
  private generation = 0;
  private crash: (() => void) | undefined;
  /** Times that the process was started. */
  invocations = 0;
  /** Checkpoints that were asked for. */
  checkpoints = 0;

  /**
   * @param crashAt called at every checkpoint with its number; `before` loses the checkpoint, `after` keeps it
   */
  constructor(
    private readonly clock: ExecutorClock,
    private readonly crashAt: (checkpoint: number) => 'before' | 'after' | undefined = () => undefined,
  ) {}

  /**
   * @param handler the function
   * @param process runs one process; `alive` tells whether it still lives
   * @throws Error when the function fails
   */
  async run<T>(request: unknown, handler: Handler, process: Process = (_, work) => work()): Promise<T> {
    const payload = JSON.stringify(request);
    const root: WireOperation = {
      Id: 'execution',
      Type: 'EXECUTION',
      Status: 'STARTED',
      StartTimestamp: new Date(),
      ExecutionDetails: { InputPayload: payload },
    };
    this.operations.set('execution', root);
    for (;;) {
      const ended = await this.invoke(handler, process);
      if (ended?.Status === 'SUCCEEDED') return JSON.parse(ended.Result ?? 'null') as T;
      if (ended?.Status === 'FAILED') throw new Error(ended.Error?.ErrorMessage ?? 'failed');
      await this.wake();
    }
  }

  /** Answers a callback that waits, as Lambda's SendDurableExecutionCallbackSuccess and -Failure do. @throws Error for an id that is not known */
  answer(
    callbackId: string,
    answer: { readonly Result: string } | { readonly Error: { ErrorType?: string; ErrorMessage?: string } },
  ): void {
    const id = this.callbacks.get(callbackId);
    if (id === undefined) throw new Error(`no callback ${callbackId}`);
    const Status = 'Result' in answer ? 'SUCCEEDED' : 'FAILED';
    this.operations.set(id, { ...this.operations.get(id)!, Status, CallbackDetails: { CallbackId: callbackId, ...answer } });
  }

  async checkpoint(request: CheckpointDurableExecutionRequest): Promise<CheckpointDurableExecutionResponse> {
    if (request.CheckpointToken !== this.token()) return new Promise(() => undefined);
    this.checkpoints += 1;
    const dies = this.crashAt(this.checkpoints);
    if (dies !== 'before') for (const update of request.Updates ?? []) this.apply(update);
    if (dies) {
      this.crash!();
      return new Promise(() => undefined);
    }
    const touched = (request.Updates ?? []).flatMap((update) => this.operations.get(update.Id!) ?? []);
    return { CheckpointToken: this.token(), NewExecutionState: { Operations: touched } };
  }

  async getExecutionState(): Promise<{ Operations: WireOperation[] }> {
    return { Operations: [...this.operations.values()] };
  }

  private token(): string {
    return String(this.generation);
  }

  private async invoke(handler: Handler, process: Process) {
    this.invocations += 1;
    const generation = ++this.generation;
    const durable = withDurableExecution(handler as never, { durableExecutionClient: this });
    const crashed = new Promise<undefined>((resolve) => {
      this.crash = () => {
        this.generation += 1;
        resolve(undefined);
      };
    });
    const event = {
      DurableExecutionArn: this.arn,
      CheckpointToken: this.token(),
      InitialExecutionState: { Operations: [...this.operations.values()] },
    };
    // No time is left for waits within the process: each one ends it.
    const context = {
      awsRequestId: 'local',
      getRemainingTimeInMillis: () => 0,
      functionName: 'promotion',
      functionVersion: '1',
      invokedFunctionArn: 'arn:local',
    };
    const ended = process(
      () => this.generation === generation,
      () => durable(event as never, context as never),
    );
    const output = await Promise.race([ended, crashed]);
    return output as { Status: string; Result?: string; Error?: { ErrorMessage?: string } } | undefined;
  }

  /** Lets the time pass until the next operation is due. */
  private async wake(): Promise<void> {
    const next = Math.min(...this.due.values());
    if (next === Number.POSITIVE_INFINITY) return;
    await this.clock.jump(Math.max(0, next - this.clock.now()));
    for (const [id, at] of [...this.due]) {
      if (at > this.clock.now()) continue;
      this.due.delete(id);
      const operation = this.operations.get(id)!;
      this.operations.set(id, { ...operation, Status: operation.Type === 'WAIT' ? 'SUCCEEDED' : 'READY' });
    }
  }

  private apply(update: OperationUpdate): void {
    const id = update.Id!;
    const before = this.operations.get(id);
    const base: WireOperation = before ?? {
      Id: id,
      ParentId: update.ParentId,
      Name: update.Name,
      Type: update.Type,
      SubType: update.SubType,
      StartTimestamp: new Date(),
      Status: 'STARTED',
    };
    const attempt = before?.StepDetails?.Attempt ?? 0;
    const result = { Result: update.Payload, Error: update.Error };
    switch (update.Action) {
      case 'START':
        if (update.Type === 'WAIT') this.wait(id, update.WaitOptions!.WaitSeconds!);
        this.operations.set(id, { ...base, Status: 'STARTED', ...this.started(id, update, attempt) });
        return;
      case 'RETRY':
        this.wait(id, update.StepOptions?.NextAttemptDelaySeconds ?? 1);
        this.operations.set(id, { ...base, Status: 'PENDING', StepDetails: { Attempt: attempt, NextAttemptTimestamp: FAR, ...result } });
        return;
      default: {
        const Status = update.Action === 'SUCCEED' ? 'SUCCEEDED' : 'FAILED';
        const details =
          update.Type === 'CONTEXT'
            ? { ContextDetails: { ...result, ReplayChildren: update.ContextOptions?.ReplayChildren } }
            : { StepDetails: { Attempt: attempt, ...result } };
        this.operations.set(id, { ...base, Status, EndTimestamp: new Date(), ...details });
      }
    }
  }

  private started(id: string, { Type }: OperationUpdate, attempt: number): Partial<WireOperation> {
    if (Type === 'WAIT') return { WaitDetails: { ScheduledEndTimestamp: FAR } };
    if (Type !== 'CALLBACK') return { StepDetails: { ...this.operations.get(id)?.StepDetails, Attempt: attempt + 1 } };
    const CallbackId = Buffer.from(`${this.arn} ${id}`).toString('base64');
    this.callbacks.set(CallbackId, id);
    return { CallbackDetails: { CallbackId } };
  }

  private wait(id: string, seconds: number): void {
    this.due.set(id, this.clock.now() + seconds * 1000);
  }
}

/** The SDK compares with the machine's time: later than any process lives. */
const FAR = new Date(Date.now() + 365 * 86_400_000);
