import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** The model without a server: for each flight its tensors made and the session run, as a program would that needs no HTTP. */

export interface LoopReport {
  readonly calls: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function main(model: string, bodies: string, seconds: number): Promise<void> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const rows = readFileSync(bodies, 'utf8')
    .trimEnd()
    .split('\n')
    .map((body) => JSON.parse(body).instances[0] as Record<string, string | number | null>);
  const inputs = session.inputMetadata.map((one) => ({ name: one.name, text: one.isTensor && one.type === 'string' }));
  const call = (row: Record<string, string | number | null>): Promise<unknown> => {
    const feeds: Record<string, Tensor> = {};
    for (const { name, text } of inputs) {
      const value = row[name];
      feeds[name] = text
        ? new Tensor('string', [String(value ?? '')], [1, 1])
        : new Tensor('float32', Float32Array.of(value === null ? Number.NaN : Number(value)), [1, 1]);
    }
    return session.run(feeds);
  };
  for (let i = 0; i < 500; i++) await call(rows[i % rows.length]!);
  const cpu = process.cpuUsage();
  const from = performance.now();
  let calls = 0;
  while (performance.now() - from < seconds * 1000) await call(rows[calls++ % rows.length]!);
  const { user, system } = process.cpuUsage(cpu);
  const report: LoopReport = { calls, seconds: (performance.now() - from) / 1000, cpuSeconds: (user + system) / 1e6 };
  console.log(JSON.stringify(report));
}

void main(process.argv[2]!, process.argv[3]!, Number(process.argv[4]));
