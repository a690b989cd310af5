import { existsSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { packageRoot } from '../model/entry-point';
import { openCommandEngine } from './command/engine';
import type { Engine } from './engine';
import { type OnnxEngineOptions, openOnnxEngine } from './onnx/engine';

/** How a model's directory is served. */
export interface EngineOptions extends OnnxEngineOptions {
  /** Lets the model's own code (`code/inference.py`) run, with all the rights of this process's user. @default false */
  readonly allowCode?: boolean;
  /** The Python that runs it; its packages must be those that the code imports. @default python3 */
  readonly python?: string;
  /**
   * A command that serves the model instead, with /ping and /invocations on 127.0.0.1 at the port in SAGEMAKER_BIND_TO_PORT; it finds
   * the directory in SM_MODEL_DIR.
   *
   * @default - what the directory holds decides
   */
  readonly command?: readonly string[];
  /** Variables of the command's or the code's environment, beside this process's own without AWS_*. @default - none */
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds within which a process must answer /ping. @default 240000, SageMaker's four minutes */
  readonly startupMs?: number;
  /** Gets each line that a process prints. @default - dropped; the last ones stand in error messages */
  readonly log?: (line: string) => void;
}

/**
 * Opens the model in a directory: by the command if one is given, by its `code/inference.py` if there is one and it is allowed, else
 * the .onnx file at its root.
 *
 * @param directory what a container finds in /opt/ml/model
 * @throws Error where the directory holds no model that can be served here, its code is not allowed, or the model does not load
 */
export async function openEngine(directory: string, options: EngineOptions = {}): Promise<Engine> {
  if (!existsSync(directory) || !statSync(directory).isDirectory()) throw new Error(`${directory} is not a directory`);
  if (options.command !== undefined) return openProcess(directory, options.command, options);
  const program = options.environment?.SAGEMAKER_PROGRAM ?? 'inference.py';
  if (existsSync(join(directory, 'code', program))) {
    if (options.allowCode !== true) {
      throw new Error(
        `code/${program} answers for this model, and its code runs only where it is allowed (--allow-code, or allowCode in a program)`,
      );
    }
    const script = join(packageRoot(__dirname), 'lib', 'serving', 'python', 'serve.py');
    return openProcess(directory, [options.python ?? 'python3', '-u', script, resolve(directory)], options);
  }
  return openOnnxEngine(join(directory, onnxFile(directory)), options);
}

function openProcess(directory: string, command: readonly string[], options: EngineOptions): Promise<Engine> {
  // The user's credentials are not the model's: what it may do on AWS is its endpoint's role's.
  const own = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
  return openCommandEngine({
    command,
    environment: { ...own, SM_MODEL_DIR: resolve(directory), ...options.environment },
    startupMs: options.startupMs ?? 240_000,
    log: options.log ?? (() => {}),
    onRestart: options.onRestart,
  });
}

/** `model.onnx`, else the only .onnx file at the root. @throws Error where there is none, or several */
export function onnxFile(directory: string): string {
  const found = readdirSync(directory).filter((name) => name.endsWith('.onnx') && !name.startsWith('.'));
  if (found.includes('model.onnx')) return 'model.onnx';
  if (found.length === 0)
    throw new Error(
      'the model holds no .onnx file and no code/inference.py: others are served by a command (fledge serve --command, or command in a program)',
    );
  if (found.length > 1)
    throw new Error(`the directory holds several models (${found.sort().join(', ')}): name the one to serve model.onnx`);
  return found[0]!;
}
