import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { LocalStage } from '../../lib/cli/local-stage';
import { columnsOf } from '../../lib/cli/rehearsal/columns';
import { endpointNameOf } from '../../lib/cli/rehearsal/endpoint-name';
import { asTaken } from '../../lib/cli/rehearsal/header';
import type { RehearsalResult } from '../../lib/cli/rehearsal/rehearsal';
import { readTraffic } from '../../lib/cli/rehearsal/traffic';
import { titleOf } from '../../lib/cli/report';
import { isSageMakerName } from '../../lib/endpoint/sagemaker-name';
import { startLocal } from '../../lib/local';
import { awsPorts } from '../../lib/promotion';
import { fledge } from './fledge';

const FLIGHTS = join(__dirname, '..', '..', 'model-artifacts', 'flight-delay');
const folder = mkdtempSync(join(tmpdir(), 'rehearse-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a rehearsal tells versions apart by their folders, and says what of the outcomes it cannot use', async () => {
  for (const version of ['1', '2']) {
    const model = join(folder, 'skl', version);
    mkdirSync(model, { recursive: true });
    cpSync(join(FLIGHTS, version, 'model.onnx'), join(model, 'model.onnx'));
  }
  const [names, ...rows] = gunzipSync(readFileSync(join(FLIGHTS, 'traffic.csv.gz')))
    .toString()
    .split('\n', 101);
  const traffic = join(folder, 'words.csv');
  writeFileSync(traffic, [names, ...rows.map((row, i) => row.replace(/,(.)$/, i < 5 ? ',' : ',was $1'))].join('\n'));
  const models = [join(folder, 'skl', '1'), join(folder, 'skl', '2')];
  const quick = ['--requests', '100', '--rate', '50', '--no-shadow', '--steps', '50', '--deadline', '1', '--report', '/dev/full', '--json'];
  const { code, out, err } = await fledge('rehearse', ...models, '--traffic', traffic, ...quick);
  expect([code, err]).toEqual([1, expect.stringContaining('error: /dev/full cannot be written: no space left on the disk')]);
  expect(err).toMatch(/^packed {4}skl 1: onnx/m);
  expect(err).toMatch(/^candidate skl 2$/m);
  expect(err).toContain(`warning: 5 of 100 requests in ${traffic} have no outcome`);
  expect(err).toMatch(/warning: none of \d+ answers is its outcome \(the first: [01] where the outcome is "was [01]"\)/);
  const { live, promotions } = JSON.parse(out) as { live: object; promotions: { verdict: string; story: { sentence: string }[] }[] };
  expect(live).toMatchObject({ requests: 100, failed: 0, known: 95, accuracy: 0 });
  expect(promotions[0]!.story.at(-1)!.sentence).toMatch(new RegExp(`^${promotions[0]!.verdict}: (?!${promotions[0]!.verdict})`));
}, 120_000);

test.each([
  ['flight-delay', 'flight-delay'],
  ['_my model (v2)', 'my-model-v2'],
  ['été', 't'],
  ['航班', 'model'],
  [`${'a'.repeat(62)}-b`, 'a'.repeat(62)],
])('the model %s is rehearsed on an endpoint that SageMaker takes: %s', (model, name) => {
  expect(endpointNameOf(model)).toBe(name);
  expect(isSageMakerName(name)).toBe(true);
});

test.each([
  ['its version', 'flight-delay', '2', 'models/flight-delay/7', 'flight-delay 2'],
  ['its folder', 'flight-delay', undefined, 'models/flight-delay/7', 'flight-delay 7'],
  ['the folder that is not its name', 'flight-delay', undefined, 'models/newest', 'flight-delay newest'],
  ['where its folder is', 'newest', undefined, 'models/newest/', 'models/newest'],
])('a version is called by %s', (_, name, version, directory, title) => {
  expect(titleOf({ inspection: { name, version }, directory } as RehearsalResult['live']['version'])).toBe(title);
});

/** Handlers of a model whose signature names no columns. */
const HANDLERS = [
  ['that wants a header', 'rows = [float(row["a"]) for row in csv.DictReader(lines)]\n    assert rows', 'b,a'],
  ['that fails on one', 'rows = [float(row[1]) for row in csv.reader(lines)]', undefined],
  ['that takes one for a row', 'rows = [float(row[1]) if row[1] != "a" else -1 for row in csv.reader(lines)]', undefined],
] as const;

describe('a model of code', () => {
  test.each(HANDLERS)(
    '%s gets all columns but those apart, in the form that it takes',
    async (_, reading, header) => {
      const model = mkdtempSync(join(folder, 'code-'));
      mkdirSync(join(model, 'code'));
      // An empty dictionary, pickled.
      writeFileSync(join(model, 'model.pkl'), Buffer.from('\x80\x02}q\x00.', 'latin1'));
      writeFileSync(
        join(model, 'code', 'inference.py'),
        `import csv\n\ndef model_fn(directory):\n    return None\n\ndef transform_fn(model, data, content_type, accept):\n    lines = data.splitlines()\n    ${reading}\n    return "\\n".join(str(row) for row in rows)\n`,
      );
      const file = join(folder, 'columns.csv');
      writeFileSync(file, 'time,b,a,outcome\n2013,5,7,7\n');
      const before = { ...process.env };
      const local = await startLocal({ engines: { allowCode: true }, timings: { start: 0 }, warn: () => {} });
      Object.assign(process.env, local.environment());
      try {
        const ports = awsPorts();
        const stage = await LocalStage.open(ports, 'm');
        await stage.deploy('m', await stage.publish(model));
        const traffic = await asTaken(ports, 'm', readTraffic(file, columnsOf(model)));
        expect(traffic).toMatchObject({ bodies: ['5,7'], outcomes: [7] });
        expect(traffic.header).toBe(header);
      } finally {
        await local.close();
        process.env = before;
      }
    },
    60_000,
  );
});
