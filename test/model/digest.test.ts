import { execFileSync } from 'node:child_process';
import fs, {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { contentDigest, manifestText } from '../../lib/model/digest';

let folder: string;
let model: string;
let cacheDirectory: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fledge-digest-'));
  model = join(folder, 'model');
  cacheDirectory = join(folder, 'cache');
  put('model.onnx', 'weights');
  put('code/inference.py', 'def model_fn(): pass');
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(folder, { recursive: true, force: true });
});

function put(path: string, text: string, below = model): void {
  mkdirSync(dirname(join(below, path)), { recursive: true });
  writeFileSync(join(below, path), text);
}

const digest = (directory = model) => contentDigest(directory, { cacheDirectory }).digest;

describe('the content digest', () => {
  test('is the SHA-256 of a manifest that any tool can make', () => {
    const { manifest } = contentDigest(model, { cacheDirectory });
    expect(manifestText(manifest)).toBe(
      `{"path":"code/inference.py","mode":"644","size":20,"sha256":"${sha256sum(join(model, 'code/inference.py'))}"}\n` +
        `{"path":"model.onnx","mode":"644","size":7,"sha256":"${sha256sum(join(model, 'model.onnx'))}"}\n`,
    );
    writeFileSync(join(folder, 'manifest'), manifestText(manifest));
    expect(digest()).toBe(sha256sum(join(folder, 'manifest')));
  });

  test('is the same for equal files elsewhere, made in another order, with other dates and group permissions', () => {
    const copy = join(folder, 'elsewhere');
    put('code/inference.py', 'def model_fn(): pass', copy);
    put('model.onnx', 'weights', copy);
    utimesSync(join(copy, 'model.onnx'), 1, 1);
    chmodSync(join(copy, 'model.onnx'), 0o660);
    expect(digest(copy)).toBe(digest());
  });

  test.each<[string, () => void]>([
    ['a byte', () => put('model.onnx', 'Weights')],
    ['a name', () => renameSync(join(model, 'model.onnx'), join(model, 'Model.onnx'))],
    ['the permission to run a file', () => chmodSync(join(model, 'code/inference.py'), 0o755)],
    ['a new file', () => put('code/requirements.txt', '')],
    ['an empty directory, which Triton gives a meaning', () => mkdirSync(join(model, '1'))],
  ])('changes with %s', (_, change) => {
    const before = digest();
    change();
    expect(digest()).not.toBe(before);
  });

  test('does not see what editors, Python and version control leave behind', () => {
    const before = digest();
    for (const junk of ['.DS_Store', 'code/._inference.py', 'code/__pycache__/inference.cpython-312.pyc', '.git/HEAD', 'Thumbs.db']) {
      put(junk, 'junk');
    }
    expect(digest()).toBe(before);
  });

  test('takes a link that stays inside for what it leads to', () => {
    const copy = join(folder, 'copy');
    cpSync(model, copy, { recursive: true });
    cpSync(join(copy, 'code'), join(copy, 'same'), { recursive: true });
    symlinkSync('code', join(model, 'same'));
    expect(digest()).toBe(digest(copy));
  });
});

describe('a directory that cannot be taken', () => {
  test.each<[string, string, () => unknown]>([
    ['link-outside', 'leads out of the model', () => symlinkSync('../etc', join(model, 'link'))],
    ['link-broken', 'leads nowhere', () => symlinkSync('nothing', join(model, 'link'))],
    ['link-loop', 'leads back to itself', () => symlinkSync('link', join(model, 'link'))],
    ['link-loop', 'which holds it', () => symlinkSync('..', join(model, 'code/up'))],
    [
      'links-multiply',
      'remove the links',
      () => {
        for (let depth = 0; depth < 30; depth++) {
          mkdirSync(join(model, `d${depth}`));
          for (const name of ['a', 'b']) symlinkSync(`../d${depth + 1}`, join(model, `d${depth}`, name));
        }
        mkdirSync(join(model, 'd30'));
      },
    ],
    ['special-file', 'a named pipe', () => execFileSync('mkfifo', [join(model, 'pipe')])],
    ['name-not-utf8', 'not valid UTF-8', () => writeFileSync(Buffer.concat([Buffer.from(`${model}/`), Buffer.from([0x61, 0xff])]), '')],
    ['empty-directory', 'holds no files', () => rmSync(model, { recursive: true }) ?? mkdirSync(join(model, '.git'), { recursive: true })],
    ['not-found', 'does not exist', () => rmSync(model, { recursive: true })],
    ['not-a-directory', 'is not a directory', () => rmSync(model, { recursive: true }) ?? writeFileSync(model, 'weights')],
  ])('is refused: %s, %s', (code, message, spoil) => {
    mkdirSync(join(folder, 'etc'));
    spoil();
    expect(() => digest()).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  test('is refused when it holds a socket', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(model, 's'), resolve));
    expect(() => digest()).toThrow(expect.objectContaining({ code: 'special-file', message: expect.stringContaining('a socket') }));
    await new Promise((resolve) => server.close(resolve));
  });

  test('is refused when a file grows while it is read', () => {
    const read = fs.readSync as (...args: unknown[]) => number;
    let grown = false;
    jest.spyOn(fs, 'readSync').mockImplementation((...args: unknown[]) => {
      if (!grown) fs.appendFileSync(join(model, 'code/inference.py'), '# more');
      grown = true;
      return read(...args);
    });
    expect(() => digest()).toThrow(expect.objectContaining({ code: 'changed-while-reading' }));
  });
});

describe('what was read once', () => {
  const later = () => jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);

  test('is not read again while nothing changed', () => {
    later();
    const first = digest();
    const read = jest.spyOn(fs, 'readSync');
    expect(digest()).toBe(first);
    expect(read).not.toHaveBeenCalled();
  });

  test('is read again when it was touched less than two seconds before it was read', () => {
    digest();
    const read = jest.spyOn(fs, 'readSync');
    digest();
    expect(read).toHaveBeenCalled();
  });

  test('is read again when it has other bytes, even of equal length and date', () => {
    utimesSync(join(model, 'model.onnx'), 1000, 1000);
    later();
    const before = digest();
    put('model.onnx', 'Weights');
    utimesSync(join(model, 'model.onnx'), 1000, 1000);
    expect(digest()).not.toBe(before);
  });

  test.each<[string, (file: string) => void]>([
    ['cut short', (file) => writeFileSync(file, readFileSync(file).subarray(0, 100))],
    ['changed in one place', (file) => writeFileSync(file, readFileSync(file, 'latin1').replace(/([0-9a-f])"\]/, 'x"]'))],
    ['empty', (file) => writeFileSync(file, '')],
    ['not text', (file) => writeFileSync(file, Buffer.from([0xff, 0xfe, 0x0a, 0x00]))],
  ])('is read again when the cache is %s', (_, damage) => {
    later();
    const right = digest();
    const [name] = readdirSync(join(cacheDirectory, 'digests-1'));
    damage(join(cacheDirectory, 'digests-1', name!));
    expect(digest()).toBe(right);
  });

  test('is right without a place for the cache', () => {
    const right = digest();
    writeFileSync(join(folder, 'file'), '');
    expect(contentDigest(model, { cacheDirectory: join(folder, 'file') }).digest).toBe(right);
  });

  test('leaves one file a directory in the cache, and no half-written ones', () => {
    later();
    digest();
    put('new', 'file');
    digest();
    expect(readdirSync(join(cacheDirectory, 'digests-1'))).toEqual([expect.stringMatching(/^[0-9a-f]{64}$/)]);
  });
});

function sha256sum(path: string): string {
  return execFileSync('sha256sum', [path], { encoding: 'utf8' }).slice(0, 64);
}
