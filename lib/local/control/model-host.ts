import { type Engine, type EngineOptions, openEngine } from '../../serving';
import type { LocalContext } from '../context';
import { ModelFiles, modelDataUri } from '../models';
import type { FleetVariant } from './fleet';
import type { ModelRecord } from './models';

/** Opens the model of a variant. @param directory what a container finds in /opt/ml/model */
export type OpenModel = (directory: string, model: ModelRecord) => Promise<Engine>;

/** Runs the models of all variants, each fleet's its own. */
export class ModelHost {
  private readonly files: ModelFiles;
  private readonly engines = new Set<Engine>();
  private readonly opening = new Set<Promise<Engine>>();

  /** @param openModel takes the place of {@link openEngine} */
  constructor(
    context: LocalContext,
    options: EngineOptions,
    private readonly openModel: OpenModel = (directory, { name }) => {
      const onRestart = (restarts: number, reason: string) =>
        context.warn(`model ${name} crashed and is started again (restarts so far: ${restarts}): ${reason}`);
      return openEngine(directory, { ...options, onRestart });
    },
  ) {
    this.files = new ModelFiles(context.objects);
  }

  /** @throws Error whose message says why the model does not load */
  async open(model: ModelRecord): Promise<Engine> {
    const opening = this.files.open(modelDataUri(model.container)).then((directory) => this.openModel(directory, model));
    this.opening.add(opening);
    try {
      const engine = await opening;
      this.engines.add(engine);
      return engine;
    } finally {
      this.opening.delete(opening);
    }
  }

  /** Ends a variant's model when its requests under way are answered. No new ones must come. */
  async close(variant: FleetVariant): Promise<void> {
    const { running } = variant;
    if (running === undefined) return;
    await running.drained();
    variant.running = undefined;
    variant.setCount(0);
    this.engines.delete(running.engine);
    await running.engine.close();
  }

  /** Ends every model, those that are coming up included. */
  async closeAll(): Promise<void> {
    await Promise.allSettled(this.opening);
    await Promise.allSettled([...this.engines].map((engine) => engine.close()));
    await this.files.close();
  }
}
