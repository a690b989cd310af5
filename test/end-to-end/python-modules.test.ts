import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { type ArchiveMode, archive, contentDigest } from '../../lib/model';
import { type Engine, openEngine } from '../../lib/serving';
import { ask, directoryOf, errorOf, removeDirectories } from '../serving/ask';
import { virtualEnvironment } from './harness/virtual-environment';

/** What Python does with modules from PyPI, which the tests beside lib/ do not install. */

let python: string;
beforeAll(() => {
  python = join(virtualEnvironment('python-modules', ['isal==1.9.1', 'numpy==2.4.6']), 'bin/python');
}, 300_000);

describe('a user’s inference.py, where Python has numpy', () => {
  let engine: Engine;
  beforeAll(async () => {
    const directory = directoryOf({ 'code/inference.py': 'def model_fn(d): return lambda data: data * 2' });
    engine = await openEngine(directory, { allowCode: true, python });
  }, 60_000);
  afterAll(async () => {
    await engine.close();
    removeDirectories();
  });

  test('is helped by the decoders and encoders of SageMaker’s containers', async () => {
    expect((await ask(engine, [[1, 2.5]])).text).toBe('[[2.0, 5.0]]');
    expect(await ask(engine, '1,2\n3,4', 'text/csv', 'text/csv')).toEqual({ status: 200, contentType: 'text/csv', text: '2,4\n6,8\n' });
  });

  test.each(['application/x-npy', 'application/x-npz'])('takes and answers %s', async (type) => {
    const { body } = await engine.invoke({ body: Buffer.from('[1]'), contentType: 'application/json', accept: type });
    expect(JSON.parse((await ask(engine, body, type)).text)).toEqual([4]);
  });

  test('refuses types that have no default', async () => {
    expect(errorOf(await ask(engine, 'x', 'image/png'))).toMatch(/^415 Content-Type 'image\/png' has no default decoder/);
    expect(errorOf(await ask(engine, [1], 'application/json', 'image/png'))).toMatch(/^406 Accept 'image\/png' has no default encoder/);
  });
});

describe('an archive', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fledge-isal-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test.each<ArchiveMode>(['size', 'speed', 'stored'])('in mode %s is read to its end by ISA-L, the inflate of igzip', async (mode) => {
    const model = join(folder, mode, 'model');
    mkdirSync(model, { recursive: true });
    writeFileSync(join(model, 'weights.bin'), Buffer.from(Float32Array.from({ length: 400_000 }, (_, i) => Math.sin(i)).buffer));
    writeFileSync(join(model, 'vocabulary.txt'), 'word '.repeat(50_000));
    const options = { output: join(folder, mode), cacheDirectory: join(folder, 'cache'), mode, workers: 2 };
    const { path } = await archive(model, options);
    const unpacked = join(folder, mode, 'unpacked');
    const program = `import sys, tarfile
from isal import igzip
with igzip.open(sys.argv[1], 'rb') as plain, tarfile.open(fileobj=plain, mode='r|') as tar: tar.extractall(sys.argv[2], filter='data')`;
    execFileSync(python, ['-c', program, path, unpacked]);
    expect(contentDigest(unpacked, options).digest).toBe(basename(path, '.tar.gz'));
  });
});
