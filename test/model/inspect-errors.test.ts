import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs, { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { inspect, inspectArchive } from '../../lib/model/inspect';
import { ModelError } from '../../lib/model/model-error';

const FIXTURES = join(__dirname, 'fixtures');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fledge-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function errorOf(act: () => unknown): ModelError {
  try {
    act();
  } catch (error) {
    if (error instanceof ModelError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

const refusal = (path: string) => errorOf(() => inspect(path));
const put = (name: string, from: string) => cpSync(join(FIXTURES, from), join(folder, name));
const onnx = () => put('model.onnx', 'onnx/model.onnx');

describe('a path that is no model directory', () => {
  test('does not exist', () => {
    expect(refusal(join(folder, 'nowhere'))).toMatchObject({ code: 'not-found', message: `${folder}/nowhere does not exist` });
  });

  test('is empty', () => {
    expect(refusal(folder)).toMatchObject({ code: 'empty-directory', message: expect.stringContaining('holds no files') });
  });

  test('is the file instead of its directory', () => {
    onnx();
    expect(refusal(join(folder, 'model.onnx'))).toMatchObject({
      code: 'not-a-directory',
      message: expect.stringContaining(`give the directory that holds the model (${folder})`),
    });
  });

  test('holds nothing that is a model, and the message names what it holds', () => {
    writeFileSync(join(folder, 'README.md'), 'about');
    expect(refusal(folder)).toMatchObject({
      code: 'no-model',
      message: expect.stringContaining('holds no model that is known: README.md'),
    });
  });

  test('holds two models, and the message names both and the way out', () => {
    onnx();
    put('old.onnx', 'onnx/model.onnx');
    expect(refusal(folder)).toMatchObject({
      code: 'several-models',
      message: expect.stringMatching(/holds 2 models.*model\.onnx, old\.onnx.*file: model\.onnx/),
    });
    writeFileSync(join(folder, 'model.yaml'), 'name: two\nfile: old.onnx\n');
    expect(inspect(folder).modelFile).toBe('old.onnx');
  });

  test('holds two models of different kinds', () => {
    onnx();
    put('model.joblib', 'sklearn-joblib/model.joblib');
    expect(refusal(folder)).toMatchObject({ code: 'several-models' });
  });

  test('arrays beside a model are no second model', () => {
    onnx();
    put('means.npy', 'npy/weights.npy');
    expect(inspect(folder).modelFile).toBe('model.onnx');
  });

  test('holds a link that leads out of it', () => {
    onnx();
    symlinkSync('/etc/hostname', join(folder, 'labels.txt'));
    expect(refusal(folder)).toMatchObject({
      code: 'link-outside',
      message: expect.stringMatching(/labels\.txt leads out of the model's directory, to .*copy the file in/),
    });
  });

  test('a link that stays inside is followed', () => {
    mkdirSync(join(folder, 'blobs'));
    put('blobs/1', 'onnx/model.onnx');
    mkdirSync(join(folder, 'code'));
    symlinkSync('../blobs/1', join(folder, 'code/copy'));
    expect(inspect(folder).files.map(({ path }) => path)).toEqual(['blobs/1', 'code/copy']);
  });

  test('holds a file that cannot be read', () => {
    onnx();
    chmodSync(join(folder, 'model.onnx'), 0);
    chmodSync(folder, 0o755);
    const root = process.getuid?.() === 0;
    if (root) process.seteuid!(65_534);
    try {
      expect(refusal(folder)).toMatchObject({
        code: 'unreadable',
        message: expect.stringContaining('model.onnx cannot be read (EACCES): check its permissions'),
      });
    } finally {
      if (root) process.seteuid!(0);
    }
  });

  test('holds a model that was cut short', () => {
    writeFileSync(join(folder, 'model.h5'), readFileSync(join(FIXTURES, 'keras-h5/model.h5')).subarray(0, 900));
    expect(refusal(folder)).toMatchObject({ code: 'damaged', message: expect.stringContaining('model.h5 is damaged: ends at byte 900') });
  });

  test('holds a zip whose end is missing', () => {
    writeFileSync(join(folder, 'model.pt'), readFileSync(join(FIXTURES, 'torchscript/model.pt')).subarray(0, 3000));
    expect(refusal(folder)).toMatchObject({ code: 'damaged', message: expect.stringContaining('the zip has no end record') });
  });
});

describe('an archive', () => {
  const archive = (...args: string[]) => execFileSync('tar', args, { cwd: folder });

  test('that is text, whatever its name says', () => {
    writeFileSync(join(folder, 'model.tar.gz'), 'see the wiki for the model\n');
    expect(errorOf(() => inspectArchive(join(folder, 'model.tar.gz')))).toMatchObject({
      code: 'not-an-archive',
      message: expect.stringContaining('it is text ("see the wiki for the model'),
    });
    expect(refusal(join(folder, 'model.tar.gz'))).toMatchObject({ code: 'not-an-archive' });
    expect(refusal(folder)).toMatchObject({ code: 'archive-in-directory', message: expect.stringContaining('it is text') });
  });

  test('that is a directory', () => {
    onnx();
    expect(errorOf(() => inspectArchive(folder))).toMatchObject({
      code: 'not-an-archive',
      message: expect.stringContaining('is a directory, not an archive'),
    });
  });

  const SIZES: readonly [what: string, ballast: Buffer][] = [
    ['small', Buffer.from('{}')],
    ['small, and large once expanded', Buffer.alloc(9 * 2 ** 20)],
    ['large', randomBytes(2 * 2 ** 20)],
  ];

  test.each(SIZES)('of a model reads like the directory: %s', (_, ballast) => {
    cpSync(join(FIXTURES, 'sklearn-joblib'), join(folder, 'in'), { recursive: true });
    writeFileSync(join(folder, 'in/ballast.json'), ballast);
    archive('czf', 'model.tar.gz', '-C', 'in', '.');
    const { files, ...inside } = inspectArchive(join(folder, 'model.tar.gz'));
    const { files: plain, ...outside } = inspect(join(folder, 'in'));
    expect(files.map(({ path, size }) => [path, size])).toEqual(plain.map(({ path, size }) => [path, size]));
    expect(inside).toEqual({ ...outside, directory: join(folder, 'model.tar.gz'), name: 'model', source: 'archive' });
  });

  test.each(SIZES)('that was cut short: %s', (_, ballast) => {
    onnx();
    writeFileSync(join(folder, 'ballast.json'), ballast);
    archive('czf', 'model.tar.gz', 'model.onnx', 'ballast.json');
    const whole = readFileSync(join(folder, 'model.tar.gz'));
    writeFileSync(join(folder, 'model.tar.gz'), whole.subarray(0, whole.length / 2));
    expect(errorOf(() => inspectArchive(join(folder, 'model.tar.gz')))).toMatchObject({
      code: 'not-an-archive',
      message: expect.stringContaining('unexpected end of file'),
    });
  });

  test('whose gzip holds no tar', () => {
    writeFileSync(join(folder, 'model.tar.gz'), gzipSync(Buffer.alloc(2048, 'x')));
    expect(errorOf(() => inspectArchive(join(folder, 'model.tar.gz')))).toMatchObject({
      code: 'not-an-archive',
      message: expect.stringContaining('the tar header at byte 0 is damaged'),
    });
  });

  test('that holds a link', () => {
    onnx();
    symlinkSync('/etc/passwd', join(folder, 'users'));
    archive('czf', 'model.tar.gz', 'model.onnx', 'users');
    expect(errorOf(() => inspectArchive(join(folder, 'model.tar.gz')))).toMatchObject({
      code: 'unsafe-archive',
      message: expect.stringContaining('users is a link to /etc/passwd'),
    });
  });

  test.each(SIZES)('that is refused leaves nothing open, and nothing on disk: %s', (_, ballast) => {
    onnx();
    writeFileSync(join(folder, 'ballast.json'), ballast);
    symlinkSync('/etc/passwd', join(folder, 'users'));
    archive('czf', 'model.tar.gz', 'model.onnx', 'ballast.json', 'users');
    const [open, close, make] = [jest.spyOn(fs, 'openSync'), jest.spyOn(fs, 'closeSync'), jest.spyOn(fs, 'mkdtempSync')];
    expect(errorOf(() => inspectArchive(join(folder, 'model.tar.gz')))).toMatchObject({ code: 'unsafe-archive' });
    const opened = open.mock.results.map(({ value }) => value);
    expect(opened.length).toBeGreaterThan(0);
    expect(close.mock.calls.map(([descriptor]) => descriptor)).toEqual(opened);
    expect(make.mock.results.filter(({ value }) => existsSync(value))).toEqual([]);
    for (const spy of [open, close, make]) spy.mockRestore();
  });

  test('that would write outside of where it is unpacked', () => {
    onnx();
    archive('czPf', 'model.tar.gz', '--transform', 's,^,../,', 'model.onnx');
    expect(errorOf(() => inspectArchive(join(folder, 'model.tar.gz')))).toMatchObject({
      code: 'unsafe-archive',
      message: expect.stringContaining('../model.onnx leads out of it'),
    });
  });

  test('that expands to more than is allowed', () => {
    writeFileSync(join(folder, 'big.bin'), Buffer.alloc(1_000_000));
    archive('czf', 'model.tar.gz', 'big.bin');
    expect(errorOf(() => inspectArchive(join(folder, 'model.tar.gz'), { largestArchive: 500_000 }))).toMatchObject({
      message: expect.stringContaining('it expands to more than 500000 bytes'),
    });
  });
});

describe('model.yaml', () => {
  const yaml = (text: string) => {
    onnx();
    writeFileSync(join(folder, 'model.yaml'), text);
  };

  test.each([
    ['says another framework', 'framework: xgboost', 'contradiction', 'says framework: xgboost, and model.onnx is onnx'],
    ['says another format', 'format: joblib', 'contradiction', 'says format: joblib, and model.onnx is onnx'],
    [
      'says another element type',
      'inputs: [{ name: features, type: int64, shape: [N, 4] }]\noutputs: []',
      'contradiction',
      'says inputs features: int64, and model.onnx is made for float32 there',
    ],
    [
      'says another shape',
      'signature: { inputs: [{ name: features, type: float32, shape: [N, 7] }], outputs: [] }',
      'contradiction',
      'says inputs features: [any, 7], and model.onnx is made for [any, 4] there',
    ],
    ['names a file that is not there', 'file: best.onnx', 'no-model', 'best.onnx does not exist, and model.yaml names it'],
    ['has metrics that are no numbers', 'metrics: [1, 2]', 'model-yaml-invalid', 'metrics must hold keys and values, and is [1,2]'],
    ['has a tensor without a type', 'inputs: [{ name: a }]', 'model-yaml-invalid', 'inputs[0].type is missing for "a"'],
    [
      'lets bytes in without a reason',
      `scan: { allow: [{ sha256: ${'a'.repeat(64)} }] }`,
      'model-yaml-invalid',
      'scan.allow[0].reason is missing',
    ],
    [
      'lets in bytes by a digest that is none',
      'scan: { allow: [{ sha256: abc, reason: x }] }',
      'model-yaml-invalid',
      "must be the file's SHA-256",
    ],
    [
      'asks for a verdict that does not exist',
      'scan: { dangerous: ignore }',
      'model-yaml-invalid',
      'scan.dangerous must be refuse or warn, and is "ignore"',
    ],
  ])('%s', (_, text, code, message) => {
    yaml(`name: flights\n${text}\n`);
    expect(refusal(folder)).toMatchObject({ code, message: expect.stringContaining(message) });
  });

  test('is no YAML', () => {
    yaml('name: [flights\n');
    expect(refusal(folder)).toMatchObject({ code: 'model-yaml-invalid' });
  });

  test('names nothing', () => {
    yaml('version: 3\n');
    expect(refusal(folder)).toMatchObject({ code: 'model-yaml-invalid', message: expect.stringContaining('name is missing') });
  });

  test('with a misspelt key warns, and says which is meant', () => {
    yaml('name: flights\nlicense: MIT\nx-team: red\n');
    expect(inspect(folder).findings).toEqual([
      expect.objectContaining({
        severity: 'warning',
        code: 'model-yaml-unknown-key',
        message: expect.stringContaining("'license'"),
        remedy: expect.stringContaining('write licence'),
      }),
    ]);
  });

  test('is read', () => {
    yaml(
      'name: flights\nversion: 3\nlicence: CC0-1.0\nmetrics: { auc: 0.7, on: July }\ntrainingData: { rows: 5 }\nmissing: { float32: NaN }\n',
    );
    expect(inspect(folder)).toMatchObject({
      name: 'flights',
      version: '3',
      modelYaml: { licence: 'CC0-1.0', metrics: { auc: 0.7, on: 'July' }, trainingData: { rows: 5 } },
    });
  });
});
