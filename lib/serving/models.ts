import { existsSync, readdirSync, statSync } from 'node:fs';
import { freemem } from 'node:os';
import { join } from 'node:path';
import type { Answer, Engine } from './engine';
import { failure } from './failure';
import type { HttpQuestion, Reply } from './http/serve-http';
import { invoke } from './invoke';

interface Loaded {
  readonly url: string;
  readonly engine: Engine;
}

/** The models of a multi-model endpoint's container, by the names that SageMaker gives them. */
export class Models {
  private readonly loaded = new Map<string, Loaded>();
  /** Names whose models are being loaded: a second request for one is refused as for one that is loaded. */
  private readonly loading = new Set<string>();

  constructor(
    private readonly open: (directory: string) => Promise<Engine>,
    private readonly timeoutMs: number,
  ) {}

  /** 409 where the name is taken, 507 where the memory would not hold the model, 400 where it cannot be served. */
  async load(body: Buffer): Promise<Answer> {
    const asked = parse(body);
    if (asked === undefined) return failure(400, 'the body must be {"model_name": "...", "url": "/directory/of/the/model"}');
    const { model_name: name, url } = asked;
    if (this.loaded.has(name) || this.loading.has(name)) return failure(409, `model ${name} is loaded already`);
    this.loading.add(name);
    try {
      if (!fits(url)) return failure(507, `there is no memory for model ${name}: unload another first`);
      this.loaded.set(name, { url, engine: await this.open(url) });
      return json(described(name, url));
    } catch (error) {
      return failure(400, `model ${name} does not load: ${(error as Error).message}`);
    } finally {
      this.loading.delete(name);
    }
  }

  list(): Answer {
    return json({ models: [...this.loaded].map(([name, { url }]) => described(name, url)) });
  }

  /** What is asked of one model: invoke it, describe it, unload it. */
  async one(name: string, call: boolean, question: HttpQuestion): Promise<Reply> {
    const allow = call ? 'POST' : 'GET, DELETE';
    if (!allow.split(', ').includes(question.method)) return { ...failure(405, `${question.path} answers ${allow}`), headers: { allow } };
    const found = this.loaded.get(name);
    if (found === undefined) return failure(404, `model ${name} is not loaded`);
    if (call) return invoke(found.engine, question, this.timeoutMs);
    if (question.method === 'DELETE') {
      this.loaded.delete(name);
      await found.engine.close();
    }
    return json(described(name, found.url));
  }

  async close(): Promise<void> {
    await Promise.all([...this.loaded.values()].map(({ engine }) => engine.close()));
  }
}

function described(modelName: string, modelUrl: string): unknown {
  return { modelName, modelUrl };
}

function json(value: unknown): Answer {
  return { status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) };
}

function parse(body: Buffer): { readonly model_name: string; readonly url: string } | undefined {
  try {
    const { model_name, url } = JSON.parse(body.toString('utf8'));
    return typeof model_name === 'string' && typeof url === 'string' ? { model_name, url } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the machine, or the container's limit, has the memory that a model's files suggest: the runtime holds its weights about twice. */
function fits(directory: string): boolean {
  if (!existsSync(directory)) return true; // opening says it better
  const files = statSync(directory).isDirectory() ? readdirSync(directory).map((name) => join(directory, name)) : [directory];
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  return 2 * bytes < (process.availableMemory?.() ?? freemem());
}
