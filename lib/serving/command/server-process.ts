import { type ChildProcess, spawn } from 'node:child_process';
import type { Restarted } from '../engine';
import { freePort } from './free-port';

/** What to run, and what to tell it. */
export interface ServerCommand {
  /** The program and its arguments. It must serve /ping and /invocations on 127.0.0.1 at the port in SAGEMAKER_BIND_TO_PORT. */
  readonly command: readonly string[];
  readonly directory?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Milliseconds within which its /ping must first answer 200. */
  readonly startupMs: number;
  /** Gets each line that it prints. */
  readonly log: (line: string) => void;
  readonly onRestart?: Restarted;
}

/** SageMaker's grace between SIGTERM and SIGKILL, in milliseconds. */
const GRACE_MS = 30_000;
const POLL_MS = 100;
const LINES_KEPT = 10;
/** A longer line, such as that of a program which never ends one, is handed on in pieces: in characters. */
const LONGEST_LINE = 8192;

/** Processes that run, to be ended at the latest when this one ends. */
const running = new Set<ServerProcess>();
process.on('exit', () => {
  for (const one of running) one.signal('SIGKILL');
});

/** A process that serves a model on a port of 127.0.0.1. */
export class ServerProcess {
  /** Resolves with a sentence that says how it ended. */
  readonly ended: Promise<string>;
  private readonly lines: string[] = [];
  private alive = true;

  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
    private readonly log: (line: string) => void,
  ) {
    running.add(this);
    this.keep(child.stdout!);
    this.keep(child.stderr!);
    this.ended = new Promise((resolve) => {
      child.once('error', (error) => this.end(resolve, error.message));
      child.once('close', (code, signal) => this.end(resolve, signal === null ? `ended with code ${code}` : `was ended by ${signal}`));
    });
  }

  /**
   * Starts it and waits until it answers.
   *
   * @throws Error with its last lines where it ends first or does not answer in time
   */
  static async start(what: ServerCommand): Promise<ServerProcess> {
    const port = await freePort();
    const [program, ...rest] = what.command;
    const child = spawn(program!, rest, {
      cwd: what.directory,
      // A group of its own, so that what it starts ends with it. Its stdin stays open as long as this process lives.
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...what.environment, SAGEMAKER_BIND_TO_PORT: String(port), SAGEMAKER_SAFE_PORT_RANGE: `${port}-${port}` },
    });
    const started = new ServerProcess(child, port, what.log);
    let reason: string | undefined;
    void started.ended.then((how) => {
      reason = how;
    });
    for (const from = Date.now(); ; await new Promise((resolve) => setTimeout(resolve, POLL_MS))) {
      if (reason !== undefined) throw new Error(`${what.command.join(' ')} ${reason}${started.lastLines()}`);
      if (await started.ping()) return started;
      if (Date.now() - from > what.startupMs) {
        started.signal('SIGKILL');
        throw new Error(`${what.command.join(' ')} did not answer GET /ping within ${what.startupMs / 1000} s${started.lastLines()}`);
      }
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Whether its /ping answers 200 within two seconds, as SageMaker asks. */
  async ping(): Promise<boolean> {
    if (!this.alive) return false;
    try {
      return (await fetch(`${this.url}/ping`, { signal: AbortSignal.timeout(2000) })).status === 200;
    } catch {
      return false;
    }
  }

  /** The last lines that it printed, to stand behind a message. */
  lastLines(): string {
    return this.lines.length === 0 ? '' : `: ${this.lines.join(' | ')}`;
  }

  /** SIGTERM, and SIGKILL 30 seconds later. */
  async stop(): Promise<void> {
    if (!this.alive) return;
    const kill = setTimeout(() => this.signal('SIGKILL'), GRACE_MS);
    this.signal('SIGTERM');
    await this.ended;
    clearTimeout(kill);
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.alive || this.child.pid === undefined) return;
    try {
      process.kill(-this.child.pid, signal);
    } catch {
      // It ended in between.
    }
  }

  private end(resolve: (how: string) => void, how: string): void {
    // What it started may outlive it.
    this.signal('SIGKILL');
    this.alive = false;
    running.delete(this);
    resolve(how);
  }

  private keep(stream: NodeJS.ReadableStream): void {
    let rest = '';
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) this.line(line);
      for (; rest.length > LONGEST_LINE; rest = rest.slice(LONGEST_LINE)) this.line(rest.slice(0, LONGEST_LINE));
    });
    stream.on('end', () => {
      if (rest !== '') this.line(rest);
    });
  }

  private line(line: string): void {
    this.log(line);
    if (line.trim() === '') return;
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.shift();
  }
}
