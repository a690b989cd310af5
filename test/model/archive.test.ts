import { execFileSync, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  cpSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { type ArchiveMode, archive, archiveDigest, archiveSync } from '../../lib/model/archive';
import { BLOCK, planBlocks, tarBytes } from '../../lib/model/archive/plan';
import { padding, TAR_END, tarHeader } from '../../lib/model/archive/tar';
import { contentDigest } from '../../lib/model/digest';

const MODES: ArchiveMode[] = ['size', 'speed', 'stored'];
const LONG = `${'long-'.repeat(30)}name`;

let folder: string;
let output: string;
let options: { output: string; cacheDirectory: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fledge-archive-'));
  output = join(folder, 'out');
  options = { output, cacheDirectory: join(folder, 'cache') };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(path: string, bytes: string | Uint8Array, below = join(folder, 'model')): void {
  mkdirSync(dirname(join(below, path)), { recursive: true });
  writeFileSync(join(below, path), bytes);
}

/** The same bytes in every run. */
function randomBytes(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = 7;
  for (let index = 0; index < length; index++) {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    bytes[index] = state >>> 16;
  }
  return bytes;
}

const WEIGHTS = Buffer.from(Float32Array.from({ length: 500_000 }, (_, index) => Math.sin(index)).buffer);
const NOISE = randomBytes(1_100_000);

/** A model of several blocks with all that makes a tar interesting. */
function putModel(below = join(folder, 'model')): string {
  put('model.bin', WEIGHTS, below);
  put('noise.bin', NOISE, below);
  put('zeros.bin', Buffer.alloc(1_300_000), below);
  put('vocabulary.txt', 'word '.repeat(50_000), below);
  put('code/inference.py', 'def model_fn(model_dir): ...\n', below);
  put('empty', '', below);
  put(`${LONG}/${LONG}/${LONG}.txt`, 'deep', below);
  put('模型/größe – ünï.txt', 'unicode', below);
  mkdirSync(join(below, '1'));
  return below;
}

/** A test of a command that this machine may lack; its name then says why it was passed over. */
function testWith(command: string, run: () => void): void {
  const installed = spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
  if (installed) test(command, run);
  else test.skip(`${command}, which is not installed here`, run);
}

describe('an archive', () => {
  test('is named by the digest of its content, and says what it is', async () => {
    const model = putModel();
    const { digest, files } = contentDigest(model, options);
    const made = await archive(model, options);
    expect(made).toEqual({ path: join(output, `${digest}.tar.gz`), digest, files, bytes: readFileSync(made.path).length, reused: false });
    expect(readdirSync(output)).toEqual([basename(made.path)]);
  });

  test.each(MODES)(
    'has the same bytes in mode %s whatever the dates, the order, the place, the workers and the way of calling',
    async (mode) => {
      const model = putModel();
      const bytes = [];
      for (const workers of [1, 2, 5])
        bytes.push(readFileSync((await archive(model, { ...options, mode, workers, output: `${output}${workers}` })).path));
      const copy = join(folder, 'copy');
      for (const name of readdirSync(model).reverse()) cpSync(join(model, name), join(copy, name), { recursive: true });
      utimesSync(join(copy, 'model.bin'), 1e9, 1e9);
      bytes.push(readFileSync(archiveSync(copy, { ...options, mode }).path));
      for (const other of bytes) expect(other.equals(bytes[0]!)).toBe(true);
    },
  );

  test('is made by a process of its own, to the same bytes, when a large one is wanted at once', async () => {
    const model = putModel();
    put('large.bin', Buffer.alloc(40 * 2 ** 20), model);
    const one = archiveSync(model, options);
    const other = await archive(model, { ...options, output: `${output}2` });
    expect(readFileSync(one.path).equals(readFileSync(other.path))).toBe(true);
  });

  test('is not written again for equal files, in whatever mode it was made', async () => {
    const model = putModel();
    const first = await archive(model, { ...options, mode: 'stored' });
    const again = await archive(model, { ...options, mode: 'size' });
    expect(again).toEqual({ ...first, reused: true });
    expect(archiveSync(model, options)).toEqual({ ...first, reused: true });
  });

  test.each([
    ['is the directory', '.'],
    ['is yet to be made in it', 'out/deep'],
  ])('is not written where the output %s, to be packed by the next run', async (_, below) => {
    const model = putModel();
    symlinkSync(model, join(folder, 'link'));
    const before = readdirSync(model);
    for (const place of [model, join(folder, 'link')]) {
      const inside = { ...options, output: join(place, below) };
      await expect(archive(model, inside)).rejects.toMatchObject({ code: 'output-inside', path: inside.output });
      expect(() => archiveSync(model, inside)).toThrow(expect.objectContaining({ code: 'output-inside' }));
    }
    expect(readdirSync(model)).toEqual(before);
  });

  test('is made beside one that another process has just finished', async () => {
    mkdirSync(output);
    // the name of a partial archive with nothing behind it, as a process sees it whose look came in between
    symlinkSync('gone', join(output, '.1-00000000.partial'));
    expect(await archive(putModel(), options)).toMatchObject({ reused: false });
  });

  test('is written again when the one that is there was cut short', async () => {
    const model = putModel();
    const { path, bytes } = await archive(model, options);
    truncateSync(path, bytes - 10);
    expect(await archive(model, options)).toMatchObject({ reused: false, bytes });
    expect(readFileSync(path)).toHaveLength(bytes);
  });

  test('says how far it is, up to all of it', async () => {
    const model = putModel();
    const said: { done: number; total: number }[] = [];
    await archive(model, { ...options, workers: 2, onProgress: (progress) => said.push(progress) });
    expect(said.length).toBeGreaterThan(2);
    expect(said.map(({ done }) => done)).toEqual(said.map(({ done }) => done).sort((a, b) => a - b));
    expect(said.at(-1)!.done).toBe(contentDigest(model, options).bytes);
  });

  test('holds for a link what it leads to', async () => {
    const model = putModel();
    symlinkSync('model.bin', join(model, 'link.bin'));
    const { path } = await archive(model, options);
    expect(execFileSync('tar', ['tvzf', path], { encoding: 'utf8' })).toMatch(/^-rw-r--r-- 0\/0 +2000000 1980-01-01 00:00 link.bin$/m);
  });
});

describe('nothing is left behind', () => {
  test('when it is aborted', async () => {
    const stop = new AbortController();
    const made = archive(putModel(), { ...options, workers: 2, signal: stop.signal, onProgress: () => stop.abort(new Error('enough')) });
    await expect(made).rejects.toThrow('enough');
    expect(readdirSync(output)).toEqual([]);
  });

  test('when it was aborted before', async () => {
    await expect(archive(putModel(), { ...options, signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    expect(readdirSync(output)).toEqual([]);
  });

  test.each<[string, (file: string) => void]>([
    ['shorter', (file) => truncateSync(file, 10)],
    ['longer', (file) => appendFileSync(file, 'more')],
    ['gone', (file) => rmSync(file, { force: true })],
  ])('when a file becomes %s while it is packed', async (_, change) => {
    const model = putModel();
    put('zz-last.bin', Buffer.alloc(30 * 2 ** 20), model);
    const made = archive(model, { ...options, workers: 1, onProgress: () => change(join(model, 'zz-last.bin')) });
    await expect(made).rejects.toThrow(/changed while it was read|does not exist/);
    expect(readdirSync(output)).toEqual([]);
  });

  test('of what a killed process left a day ago', async () => {
    mkdirSync(output);
    for (const name of ['.123-0123abcd.partial', '.124-0123abcd.partial', 'mine.partial']) writeFileSync(join(output, name), '');
    utimesSync(join(output, '.123-0123abcd.partial'), 1e9, 1e9);
    utimesSync(join(output, 'mine.partial'), 1e9, 1e9);
    await archive(putModel(), options);
    expect(readdirSync(output).filter((name) => name.endsWith('.partial'))).toEqual(['.124-0123abcd.partial', 'mine.partial']);
  });

  test('when the number of workers makes no sense', async () => {
    await expect(archive(putModel(), { ...options, workers: 0 })).rejects.toThrow('workers must be a whole number from 1 to 64, not 0');
    expect(readdirSync(output)).toEqual([]);
  });
});

describe.each(MODES)('an archive in mode %s is read to its end by', (mode) => {
  let home: string;
  let path: string;
  let out: string;
  beforeAll(async () => {
    home = mkdtempSync(join(tmpdir(), 'fledge-readers-'));
    path = (
      await archive(putModel(join(home, 'model')), { output: join(home, 'out'), cacheDirectory: join(home, 'cache'), mode, workers: 2 })
    ).path;
  });
  afterAll(() => rmSync(home, { recursive: true, force: true }));
  beforeEach(() => {
    out = join(folder, 'unpacked');
    mkdirSync(out);
  });

  const sameFiles = () => expect(contentDigest(out, options).digest).toBe(basename(path, '.tar.gz'));

  test('GNU tar', () => {
    const { status, stderr } = spawnSync('tar', ['xzf', path, '-C', out], { encoding: 'utf8' });
    expect([status, stderr]).toEqual([0, '']);
    sameFiles();
  });

  test.each(['r:gz', 'r|gz'])('Python tarfile, %s', (way) => {
    const program = `import sys, tarfile\nwith tarfile.open(sys.argv[1], '${way}') as tar: tar.extractall(sys.argv[2], filter='data')`;
    execFileSync('python3', ['-c', program, path, out]);
    sameFiles();
  });

  test('npm tar', async () => {
    const { x } = await import('tar');
    await x({ file: path, cwd: out, strict: true });
    sameFiles();
  });

  // Another inflate than zlib's, ISA-L's, is asked in test/end-to-end/python-modules.test.ts.
  for (const command of ['gzip', 'pigz']) {
    testWith(command, () => {
      const { status, stderr } = spawnSync(command, ['-t', path], { encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '']);
    });
  }

  testWith('java', () => {
    const program = join(folder, 'Unzip.java');
    writeFileSync(
      program,
      `import java.io.*; import java.util.zip.*;
       class Unzip { public static void main(String[] a) throws IOException {
         try (var in = new GZIPInputStream(new FileInputStream(a[0])); var out = new FileOutputStream(a[1])) { in.transferTo(out); } } }`,
    );
    execFileSync('java', ['-XX:TieredStopAtLevel=1', program, path, join(folder, 'java.tar')]);
    expect(readFileSync(join(folder, 'java.tar')).equals(gunzipSync(readFileSync(path)))).toBe(true);
  });

  test('this package', async () => {
    expect((await archiveDigest(path, options)).digest).toBe(basename(path, '.tar.gz'));
  });
});

describe('any tree', () => {
  const name = fc
    .oneof(
      fc.string({ minLength: 1, maxLength: 12 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }),
      fc.integer({ min: 90, max: 200 }).map((length) => 'n'.repeat(length)),
      fc.constantFrom('-rf', ' ', 'a b', '*', '\\', '"', "'", '\n', '.hidden', '~', '%s', '\u0001'),
    )
    .filter(
      (text) =>
        !/[/\0\ufffd]/.test(text) &&
        text !== '.' &&
        text !== '..' &&
        Buffer.byteLength(text) <= 255 &&
        Buffer.from(text).toString() === text,
    );
  /** Bytes at the front, and a hole behind them. */
  const sparse = fc
    .tuple(fc.uint8Array({ maxLength: 20 }), fc.constantFrom(4096, 70_000, 2 * BLOCK + 1))
    .map(([front, size]) => ({ front, size }));
  const content = fc.oneof(
    sparse,
    fc.constant(Buffer.alloc(0)),
    fc.uint8Array({ maxLength: 2000 }).map((bytes) => Buffer.from(bytes)),
    fc.tuple(fc.constantFrom(511, 512, 513, BLOCK - 1536, BLOCK - 512, BLOCK, BLOCK + 1), fc.boolean()).map(([length, noisy]) => {
      const bytes = Buffer.alloc(length);
      return noisy ? randomFillSync(bytes) : bytes;
    }),
  );
  const tree = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 4 }), content), { minLength: 1, maxLength: 8 });

  test('comes back as it went in, by GNU tar and by this package', async () => {
    await fc.assert(
      fc.asyncProperty(tree, fc.constantFrom(...MODES), async (files, mode) => {
        const round = mkdtempSync(join(folder, 'round-'));
        const model = join(round, 'model');
        for (const [parts, bytes] of files) {
          try {
            put(join(...parts), 'front' in bytes ? bytes.front : bytes, model);
            if ('front' in bytes) truncateSync(join(model, ...parts), bytes.size);
          } catch {
            // A name that is a file and a directory at once.
          }
        }
        fc.pre(existsSync(model));
        const made = archiveSync(model, { output: join(round, 'out'), cacheDirectory: join(round, 'cache'), mode });
        mkdirSync(join(round, 'unpacked'));
        execFileSync('tar', ['xzf', made.path, '-C', join(round, 'unpacked')]);
        expect(contentDigest(join(round, 'unpacked'), { cacheDirectory: join(round, 'cache') }).digest).toBe(made.digest);
        expect((await archiveDigest(made.path, { cacheDirectory: join(round, 'cache') })).digest).toBe(made.digest);
        rmSync(round, { recursive: true });
      }),
      { numRuns: 40 },
    );
  });
});

describe('a file of 9 GB', () => {
  const nine = { path: 'model.safetensors', mode: 0o644, size: 9e9 };
  const small = { path: 'z.json', mode: 0o644, size: 2 };

  test('is listed with its size by GNU tar and Python, and so is the file behind it', () => {
    const tar = join(folder, 'nine.tar');
    const file = openSync(tar, 'w');
    const first = tarHeader(nine);
    const second = first.length + nine.size + padding(nine.size);
    writeSync(file, first, 0, first.length, 0);
    writeSync(file, Buffer.concat([tarHeader(small), Buffer.from('{}'), Buffer.alloc(padding(2)), TAR_END]), 0, undefined, second);
    ftruncateSync(file, second + 512 + 512 + TAR_END.length);
    closeSync(file);
    expect(execFileSync('tar', ['tvf', tar], { encoding: 'utf8' })).toMatch(/ 9000000000 .* model.safetensors\n.* 2 .* z.json\n$/);
    const program = 'import sys, tarfile\nprint([(m.name, m.size) for m in tarfile.open(sys.argv[1])])';
    expect(execFileSync('python3', ['-c', program, tar], { encoding: 'utf8' })).toBe(
      "[('model.safetensors', 9000000000), ('z.json', 2)]\n",
    );
  });

  test('is planned in blocks that cover each of its bytes once', () => {
    const stat = { size: 0n, inode: 0n, modified: 0n, changed: 0n };
    const entries = [nine, small].map((entry) => ({ ...entry, source: entry.path, stat }));
    let covered = 0;
    let planned = 0;
    for (const block of planBlocks(entries)) {
      planned += block.length;
      for (const segment of block.segments) {
        if (segment.bytes !== undefined || segment.entry !== 0) continue;
        expect(segment.offset).toBe(covered);
        covered += segment.length;
      }
    }
    expect([covered, planned]).toEqual([9e9, tarBytes(entries)]);
  });
});
