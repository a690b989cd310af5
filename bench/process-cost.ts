import { spawnSync } from 'node:child_process';

/** What a command took from start to end, its children included. */
export interface ProcessCost {
  /** Seconds by the clock. */
  readonly wall: number;
  /** Seconds of processors, user and system. */
  readonly cpu: number;
  /** The largest resident memory of one of its processes, MiB. */
  readonly memory: number;
}

/** Only the parent that waits for a process learns what it took; Node does not pass that on, Python does. */
const WAIT = `
import json, resource, subprocess, sys, time
start = time.perf_counter()
status = subprocess.run(sys.argv[1:], stdout=sys.stderr).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps(dict(wall=time.perf_counter() - start, cpu=used.ru_utime + used.ru_stime, memory=used.ru_maxrss / 1024)))
sys.exit(status)
`;

/**
 * Runs a command to its end. Certificates that the environment names are left out: Node reads them all before it starts, which is no work of what is measured.
 *
 * @throws Error with what it said when it fails
 */
export function processCost(command: readonly string[], env: Record<string, string> = {}): ProcessCost {
  const { NODE_EXTRA_CA_CERTS: _, ...own } = process.env;
  const { status, stdout, stderr } = spawnSync('python3', ['-c', WAIT, ...command], { encoding: 'utf8', env: { ...own, ...env } });
  if (status !== 0) throw new Error(`${command.join(' ')} failed:\n${stderr}`);
  return JSON.parse(stdout) as ProcessCost;
}

/** Whether a command is installed here. */
export function installed(command: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}
