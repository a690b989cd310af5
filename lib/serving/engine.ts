/** One request as /invocations gets it. */
export interface Invocation {
  readonly body: Buffer;
  /** The request's Content-Type; `application/json` where the caller named none. */
  readonly contentType: string;
  /** The request's Accept; the engine's default where the caller named none. */
  readonly accept?: string;
  /** X-Amzn-SageMaker-Custom-Attributes, at most 1,024 characters, handed through as it is. */
  readonly customAttributes?: string;
  /** X-Amzn-SageMaker-Target-Model, for engines that hold several models. */
  readonly targetModel?: string;
}

/** What a model answered: its HTTP status (the model's own 4xx and 5xx included), type and body. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly customAttributes?: string;
}

/** An answer that comes in parts. Its parts throw where the model breaks off. */
export interface StreamedAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly parts: AsyncIterable<Buffer>;
  readonly customAttributes?: string;
}

/** @param restarts since the engine was opened, this one included @param reason why the model had to be started again */
export type Restarted = (restarts: number, reason: string) => void;

/** A model that is loaded and answers. An engine that crashes restarts itself; it never takes its host down. */
export interface Engine {
  /** Resolves with the model's answer, errors included as answers with their status; rejects only once closed. */
  invoke(invocation: Invocation): Promise<Answer>;
  /** The same, in parts as the model gives them. Absent where the engine cannot stream: `streamed` then makes one part of it. */
  stream?(invocation: Invocation): Promise<StreamedAnswer>;
  /** Whether the model would answer now: what /ping says. */
  ping(): Promise<boolean>;
  /** Restarts after a crash since the engine was opened. */
  readonly restarts: number;
  /** Ends threads and processes; requests under way are answered first. */
  close(): Promise<void>;
}

/** The engine's answer in parts: as it streams it, or whole in one part. */
export async function streamed(engine: Engine, invocation: Invocation): Promise<StreamedAnswer> {
  if (engine.stream !== undefined) return engine.stream(invocation);
  const { body, ...head } = await engine.invoke(invocation);
  return { ...head, parts: one(body) };
}

async function* one(part: Buffer): AsyncIterable<Buffer> {
  yield part;
}
