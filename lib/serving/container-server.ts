import type { Answer, Engine } from './engine';
import { failure } from './failure';
import { type HttpQuestion, type Reply, serveHttp } from './http/serve-http';
import { invoke } from './invoke';
import { Models } from './models';

/** How a server of the container's contract listens. */
export interface ListenProps {
  /** 0: any free port. @default 8080 */
  readonly port?: number;
  /** @default 127.0.0.1 */
  readonly host?: string;
  /** Bytes of a request's body above which it is answered 413. @default 26214400, the 25 MiB that SageMaker passes on */
  readonly maxBytes?: number;
  /** Milliseconds after which an invocation is answered 504. @default 60000, as long as SageMaker waits */
  readonly timeoutMs?: number;
}

export interface ContainerServerProps extends ListenProps {
  readonly engine: Engine;
  /** Requests that a batch transform should send at once. @default 1 */
  readonly concurrency?: number;
}

export interface MultiModelServerProps extends ListenProps {
  /** Opens the model in a directory; it throws where that holds none that can be served. */
  open(directory: string): Promise<Engine>;
}

/** A server that listens. */
export interface ContainerServer {
  readonly port: number;
  /** Takes no more connections, answers what is under way, then closes the engines. */
  close(): Promise<void>;
}

/**
 * Speaks what SageMaker asks of a container: `GET /ping` (200 while the model answers, else 503), `POST /invocations`, and
 * `GET /execution-parameters`, which batch transform asks for. Source: the SageMaker developer guide, "Custom inference code with
 * hosting services" and "... with batch transform".
 *
 * @throws Error where the port is taken
 */
export async function containerServer(props: ContainerServerProps): Promise<ContainerServer> {
  const { engine, timeoutMs = 60_000 } = props;
  const routes: Routes = {
    '/ping': { GET: async () => ((await engine.ping()) ? PONG : failure(503, 'the model does not answer')) },
    '/invocations': { POST: (question) => invoke(engine, question, timeoutMs) },
    '/execution-parameters': { GET: async () => parameters(props.concurrency ?? 1) },
  };
  const listening = await listen(
    props,
    (question) => route(routes, question),
    ({ url }) => url === '/invocations' && engine.stream === undefined,
  );
  return {
    port: listening.port,
    close: async () => {
      await listening.close();
      await engine.close();
    },
  };
}

/**
 * Speaks what SageMaker asks of a container that holds several models, loaded and unloaded as they are asked for: `/models`. Source: the
 * developer guide, "Custom containers contract for multi-model endpoints".
 *
 * @throws Error where the port is taken
 */
export async function multiModelServer(props: MultiModelServerProps): Promise<ContainerServer> {
  const models = new Models(props.open, props.timeoutMs ?? 60_000);
  const routes: Routes = {
    '/ping': { GET: async () => PONG },
    '/models': { GET: async () => models.list(), POST: ({ body }) => models.load(body) },
  };
  const reply = (question: HttpQuestion): Promise<Reply> => {
    const [, name, call] = /^\/models\/([^/]+)(\/invoke)?$/.exec(question.path) ?? [];
    return name === undefined ? route(routes, question) : models.one(decoded(name), call !== undefined, question);
  };
  const listening = await listen(props, reply, () => false);
  return {
    port: listening.port,
    close: async () => {
      await listening.close();
      await models.close();
    },
  };
}

type Routes = Readonly<Record<string, Readonly<Record<string, (question: HttpQuestion) => Promise<Reply>>>>>;

const PONG: Answer = { status: 200, contentType: 'text/plain', body: Buffer.alloc(0) };

/** A batch transform sends several records a request, which costs the model little more than one. */
function parameters(concurrency: number): Answer {
  const body = JSON.stringify({ MaxConcurrentTransforms: concurrency, BatchStrategy: 'MULTI_RECORD', MaxPayloadInMB: 6 });
  return { status: 200, contentType: 'application/json', body: Buffer.from(body) };
}

async function route(routes: Routes, question: HttpQuestion): Promise<Reply> {
  const methods = Object.hasOwn(routes, question.path) ? routes[question.path] : undefined;
  if (methods === undefined) return failure(404, `${question.path} is not here: ${Object.keys(routes).join(', ')}`);
  const answer = methods[question.method];
  if (answer !== undefined) return answer(question);
  const allow = Object.keys(methods).join(', ');
  return { ...failure(405, `${question.path} answers ${allow}`), headers: { allow } };
}

function listen(
  { port = 8080, host = '127.0.0.1', maxBytes = 25 * 1024 * 1024 }: ListenProps,
  reply: (question: HttpQuestion) => Promise<Reply>,
  short: (head: { readonly url: string }) => boolean,
): ReturnType<typeof serveHttp> {
  return serveHttp({ port, host, maxBytes, reply, short });
}

/** A name from a path; one that is no valid encoding stands for itself, and is then not loaded. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
