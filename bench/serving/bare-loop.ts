import { readFileSync } from 'node:fs';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** The model without a server: for so many flights a call their tensors made and the session run, as a program would that needs no HTTP. */

export interface LoopReport {
  readonly calls: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

async function main(model: string, bodies: string, seconds: number, rowsPerCall: number): Promise<void> {
  const session = await InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const rows = readFileSync(bodies, 'utf8')
    .trimEnd()
    .split('\n')
    .map((body) => JSON.parse(body).instances[0] as Record<string, string | number | null>);
  const inputs = session.inputMetadata.map((one) => ({ name: one.name, text: one.isTensor && one.type === 'string' }));
  const batches = Array.from({ length: Math.floor(rows.length / rowsPerCall) }, (_, i) =>
    rows.slice(i * rowsPerCall, (i + 1) * rowsPerCall),
  );
  const call = (batch: typeof rows): Promise<unknown> => {
    const feeds: Record<string, Tensor> = {};
    const shape = [batch.length, 1];
    for (const { name, text } of inputs) {
      const data = text ? new Array<string>(batch.length) : new Float32Array(batch.length);
      for (let i = 0; i < batch.length; i++) {
        const value = batch[i]![name];
        data[i] = text ? String(value ?? '') : value === null ? Number.NaN : Number(value);
      }
      feeds[name] = text ? new Tensor('string', data as string[], shape) : new Tensor('float32', data as Float32Array, shape);
    }
    return session.run(feeds);
  };
  for (let i = 0; i < 500; i++) await call(batches[i % batches.length]!);
  const cpu = process.cpuUsage();
  const from = performance.now();
  let calls = 0;
  while (performance.now() - from < seconds * 1000) await call(batches[calls++ % batches.length]!);
  const { user, system } = process.cpuUsage(cpu);
  const report: LoopReport = { calls, seconds: (performance.now() - from) / 1000, cpuSeconds: (user + system) / 1e6 };
  console.log(JSON.stringify(report));
}

void main(process.argv[2]!, process.argv[3]!, Number(process.argv[4]), Number(process.argv[5]));
