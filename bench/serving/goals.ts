/** What one server did at so many clients. */
export interface Served {
  readonly name: string;
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p99: number;
  /** Microseconds of processor a request. */
  readonly cpu: number;
}

/** Everything measured at one number of clients. */
export interface Measured {
  readonly clients: number;
  readonly endpoint: Served;
  readonly peers: readonly Served[];
  /** What no server in Node can do without, its name as a sentence begins. */
  readonly bound: Served;
  /** Calls a second of the session in a loop, one row a call. */
  readonly loopPerSecond: number;
}

/** A goal a line: the figure, whether it is met, and of one that is missed the most that was to be had in the same run. */
export function goals({ clients, endpoint, peers, bound, loopPerSecond }: Measured): string[] {
  const lean = peers.reduce((a, b) => (b.cpu < a.cpu ? b : a));
  const quick = peers.reduce((a, b) => (b.p99 < a.p99 ? b : a));
  const at = clients === 1 ? '1 client' : `${clients} clients`;
  const times = lean.cpu / endpoint.cpu;
  const tail = endpoint.p99 / quick.p99;
  const share = endpoint.perSecond / loopPerSecond;
  return [
    goal(
      `throughput a core, ${at}`,
      `${times.toFixed(1)} times the better Python server`,
      'at least 5',
      times >= 5,
      () =>
        `${bound.name} takes ${bound.cpu.toFixed(0)} of ${lean.name}'s ${lean.cpu.toFixed(0)} us a request: at most ${(lean.cpu / bound.cpu).toFixed(1)} times`,
    ),
    goal(
      `p99, ${at}`,
      `${tail.toFixed(2)} of the better Python server`,
      'at most 0.33',
      tail <= 0.33,
      () =>
        `${bound.name} has ${bound.p99.toFixed(2)} of ${quick.name}'s ${quick.p99.toFixed(2)} ms: at least ${(bound.p99 / quick.p99).toFixed(2)}`,
    ),
    goal(
      `requests/s beside the bare loop, ${at}`,
      share.toFixed(2),
      'above 0.5',
      share > 0.5,
      () => `${bound.name} gives ${bound.perSecond.toFixed(0)} requests/s: at most ${(bound.perSecond / loopPerSecond).toFixed(2)}`,
    ),
  ];
}

function goal(name: string, figure: string, wanted: string, met: boolean, bound: () => string): string {
  return `goal ${name}: ${figure} (wanted ${wanted}) ${met ? 'met' : `missed; ${bound()}`}`;
}
