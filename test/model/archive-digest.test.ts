import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { archiveDigest, archiveDigestSync } from '../../lib/model/archive';
import { contentDigest } from '../../lib/model/digest';
import type { ModelError } from '../../lib/model/model-error';

let folder: string;
let model: string;
let file: string;
let options: { cacheDirectory: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fledge-taken-'));
  model = join(folder, 'model');
  file = join(folder, 'model.tar.gz');
  options = { cacheDirectory: join(folder, 'cache') };
  mkdirSync(join(model, 'code'), { recursive: true });
  mkdirSync(join(model, '1'));
  writeFileSync(join(model, 'model.bin'), Buffer.alloc(300_000, 'weights'));
  writeFileSync(join(model, 'code/inference.py'), 'def model_fn(): ...', { mode: 0o755 });
  writeFileSync(join(model, `${'long'.repeat(40)}.txt`), 'ü');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const tar = (...args: string[]) => execFileSync('tar', ['-C', model, '-czf', file, ...args]);

/** Makes an archive with Python's tarfile: `body` gets `tar`, `add(name, bytes, type, linkname)`. */
function python(body: string): void {
  const program = `
import io, sys, tarfile
def add(name, data=b'', type=tarfile.REGTYPE, linkname=''):
    member = tarfile.TarInfo(name); member.size = len(data); member.type = type; member.linkname = linkname
    tar.addfile(member, io.BytesIO(data))
with tarfile.open(sys.argv[1], 'w:gz') as tar:
${body.replace(/^/gm, '    ')}
`;
  execFileSync('python3', ['-c', program, file]);
}

describe('an archive that somebody else made', () => {
  test.each([
    ['with GNU tar', () => tar('.')],
    ['with GNU tar, in the POSIX format', () => tar('--format=posix', '.')],
    ['with GNU tar, in the old format', () => tar('--format=oldgnu', '.')],
    ['with GNU tar, naming the files', () => tar('model.bin', 'code', '1', `${'long'.repeat(40)}.txt`)],
    [
      'with Python',
      () =>
        execFileSync('python3', [
          '-c',
          'import sys, tarfile\nwith tarfile.open(sys.argv[1], "w:gz") as tar: tar.add(sys.argv[2], ".")',
          file,
          model,
        ]),
    ],
    [
      'with gzip, which writes the name and date',
      () => execFileSync('sh', ['-c', `tar -C '${model}' -cf '${folder}/model.tar' . && gzip '${folder}/model.tar'`]),
    ],
  ])('has the digest of the directory: %s', async (_, make) => {
    make();
    const content = await archiveDigest(file, options);
    const { digest, manifest, bytes, files } = contentDigest(model, options);
    expect(content).toMatchObject({ digest, manifest, bytes, files, archiveBytes: readFileSync(file).length });
    expect(content.sha256).toBe(execFileSync('sha256sum', [file], { encoding: 'utf8' }).slice(0, 64));
  });

  test('is read for callers that cannot wait, and not read again while it is unchanged', () => {
    tar('.');
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 60_000);
    const first = archiveDigestSync(file, options);
    jest.restoreAllMocks();
    expect(first.digest).toBe(contentDigest(model, options).digest);
    expect(archiveDigestSync(file, options)).toEqual(first);
    writeFileSync(file, 'text');
    expect(() => archiveDigestSync(file, options)).toThrow(expect.objectContaining({ name: 'ModelError', code: 'not-an-archive' }));
  });
});

describe('refused as no archive', () => {
  const text = 'This is my model, honestly.\n';
  test.each<[string, string, () => unknown]>([
    ['text by that name', `it is text that starts with "This is my model`, () => writeFileSync(file, text)],
    ['a Git LFS pointer', 'git lfs pull', () => writeFileSync(file, 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n')],
    ['an empty file', 'it is empty', () => writeFileSync(file, '')],
    ['a zip', 'it is a zip', () => writeFileSync(file, 'PK\u0003\u0004')],
    ['a tar without gzip', 'a tar that is not compressed', () => execFileSync('tar', ['-C', model, '-cf', file, '.'])],
    ['gzip without tar', 'is not a tar archive', () => writeFileSync(file, gzipSync(text.repeat(100)))],
    ['gzip of a few bytes', 'ends in the middle', () => writeFileSync(file, gzipSync(text))],
    ['gzip of nothing', 'cut short', () => writeFileSync(file, gzipSync(''))],
    ['a directory', 'is not a file', () => mkdirSync(file)],
  ])('%s', async (_, message, make) => {
    make();
    await expect(archiveDigest(file, options)).rejects.toMatchObject({
      name: 'ModelError',
      code: 'not-an-archive',
      message: expect.stringContaining(message),
    });
  });

  test('one that was cut short, at whatever place', async () => {
    tar('.');
    const { length } = readFileSync(file);
    for (const end of [length - 1, length - 9, Math.floor(length / 2), 100, 12, 3]) {
      truncateSync(file, end);
      await expect(archiveDigest(file, options)).rejects.toMatchObject({ code: 'not-an-archive' });
    }
  });

  test('one with a flipped bit, in whatever place that counts', async () => {
    tar('.');
    const whole = readFileSync(file);
    for (const at of [0, 1, 20, Math.floor(whole.length / 2), whole.length - 6, whole.length - 1]) {
      const damaged = Buffer.from(whole);
      damaged[at]! ^= 4;
      writeFileSync(file, damaged);
      await expect(archiveDigest(file, options)).rejects.toMatchObject({ code: 'not-an-archive' });
    }
  });

  test.each<[string, string, () => unknown]>([
    ['a second gzip member', 'after its first gzip member', () => appendFileSync(file, gzipSync('more'))],
    ['bytes after its end', 'goes on for 3 bytes', () => appendFileSync(file, 'end')],
    [
      'a second tar behind the first',
      'goes on after its end',
      () => writeFileSync(file, gzipSync(Buffer.concat([unzipped(), unzipped()]))),
    ],
    ['no end', 'two empty records', () => writeFileSync(file, gzipSync(withoutEnd(unzipped())))],
  ])('one with %s', async (_, message, spoil) => {
    tar('model.bin');
    spoil();
    await expect(archiveDigest(file, options)).rejects.toMatchObject({ code: 'not-an-archive', message: expect.stringContaining(message) });
  });

  const unzipped = () => gunzipSync(readFileSync(file));
  const withoutEnd = (bytes: Buffer) => bytes.subarray(0, 512 + Math.ceil(300_000 / 512) * 512);
});

describe('refused as not safe to unpack', () => {
  test.each([
    ['an absolute name', "add('/etc/cron.d/x', b'x')", '/etc/cron.d/x starts at the root'],
    ['a name that leads out', "add('code/../../x', b'x')", 'code/../../x leads out of it'],
    ['a symbolic link', "add('a', type=tarfile.SYMTYPE, linkname='/etc/passwd')", 'a is a link'],
    ['a hard link', "add('b', b'x'); add('a', type=tarfile.LNKTYPE, linkname='b')", 'a is a link'],
    ['a device', "add('a', type=tarfile.CHRTYPE)", 'a is neither a file nor a directory'],
    ['one name twice', "add('a', b'1'); add('./a', b'2')", 'a is in it twice'],
    ['a file that is a directory too', "add('a', b'1'); add('a/b', b'2')", 'as a file and as a directory'],
    ['a directory that is a file too', "add('a/b', b'1'); add('a', b'2')", 'a is in it twice'],
    ['a name that is not UTF-8', "tar.encoding = 'latin-1'; tar.format = tarfile.GNU_FORMAT; add('ü', b'x')", 'not valid UTF-8'],
  ])('%s', async (_, body, message) => {
    python(body);
    const refused = archiveDigest(file, options);
    await expect(refused).rejects.toMatchObject({ code: 'unsafe-archive', path: file, message: expect.stringContaining(message) });
  });

  test('an archive without files', async () => {
    python("add('a', type=tarfile.DIRTYPE)");
    await expect(archiveDigest(file, options)).rejects.toMatchObject({ code: 'empty-directory' });
  });

  test('a file that is not there', async () => {
    const refused: Promise<ModelError> = archiveDigest(file, options).catch((error) => error);
    expect(await refused).toMatchObject({ code: 'not-found', message: `${file} does not exist` });
  });
});
