import { spawnSync } from 'node:child_process';
import { deflateSync, gzipSync } from 'node:zlib';
import { BufferBytes } from '../../lib/model/formats/bytes';
import { scanFile } from '../../lib/model/scan';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const PAYLOAD = latin1("cos\nsystem\n(S'id'\ntR.");
const scan = (bytes: Buffer, name = 'model.joblib') => scanFile(new BufferBytes(bytes), name);

/** Streams that Python's lzma wrote: FORMAT_ALONE of nothing and of the payload, and xz of five bytes and of the payload. */
const LZMA_NOTHING = Buffer.from('5d00008000ffffffffffffffff0083fffbffffc0000000', 'hex');

function lz4(content: Buffer): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(content.length + 2 ** 31);
  return Buffer.concat([latin1('\x04"M\x18\x60\x40\x82'), size, content, Buffer.alloc(4)]);
}

const skipped = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0]), latin1('abc')]);
const xz = (content: Buffer, format: 'xz' | 'lzma') => spawnSync('xz', ['-c', `--format=${format}`], { input: content }).stdout;

describe('a payload in a stream behind the first', () => {
  test.each([
    ['gzip', Buffer.concat([gzipSync(''), gzipSync(PAYLOAD)])],
    ['gzip, behind zeros', Buffer.concat([gzipSync(''), Buffer.alloc(7), gzipSync(PAYLOAD)])],
    ['zlib', Buffer.concat([deflateSync(''), deflateSync(PAYLOAD)])],
    ['lz4', Buffer.concat([lz4(Buffer.alloc(0)), lz4(PAYLOAD)])],
    ['lz4, behind a frame that is passed over', Buffer.concat([lz4(Buffer.alloc(0)), skipped, lz4(PAYLOAD)])],
    ['lzma', Buffer.concat([LZMA_NOTHING, xz(PAYLOAD, 'lzma')])],
    ['xz behind lzma', Buffer.concat([LZMA_NOTHING, xz(PAYLOAD, 'xz')])],
    ['xz behind five bytes of xz', Buffer.concat([xz(latin1('N0N0('), 'xz'), xz(Buffer.concat([latin1('0'), PAYLOAD]), 'xz')])],
  ])('%s', (_, bytes) => expect(scan(bytes).grade).toBe('dangerous'));

  test("of joblib's old ZF files", () => {
    const file = Buffer.concat([latin1(`ZF${`0x${PAYLOAD.length.toString(16)}`.padEnd(19)}`), deflateSync(PAYLOAD)]);
    expect(scan(file, 'model.bin').grade).toBe('dangerous');
  });

  test('what follows a stream and is none is told', () => {
    expect(scan(Buffer.concat([gzipSync('N.'), latin1('more')])).findings).toEqual([
      expect.objectContaining({ grade: 'unknown', code: 'compressed-trailing' }),
    ]);
    expect(scan(Buffer.concat([gzipSync('\x80\x02N.'), Buffer.alloc(100)])).findings.map(({ code }) => code)).not.toContain(
      'compressed-trailing',
    );
  });
});

/** A file of a zip, stored: its header with its content, and its record in the directory. */
function file(name: string, content: Buffer, at: number): { local: Buffer; central: Buffer } {
  const fixed = Buffer.alloc(26);
  fixed.writeUInt16LE(20, 0);
  fixed.writeUInt32LE(content.length, 14);
  fixed.writeUInt32LE(content.length, 18);
  fixed.writeUInt16LE(name.length, 22);
  const central = Buffer.concat([latin1('PK\x01\x02\x14\x03'), fixed, Buffer.alloc(14), latin1(name)]);
  central.writeUInt32LE(at, 42);
  return { local: Buffer.concat([latin1('PK\x03\x04'), fixed, latin1(name), content]), central };
}

function end(count: number, size: number, offset: number): Buffer {
  const record = Buffer.alloc(22);
  record.write('PK\x05\x06', 'latin1');
  record.writeUInt16LE(count, 8);
  record.writeUInt16LE(count, 10);
  record.writeUInt32LE(size, 12);
  record.writeUInt32LE(offset, 16);
  return record;
}

describe('a zip', () => {
  const npy = (body: Buffer) => {
    const header = "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
    return Buffer.concat([latin1(`\x93NUMPY\x01\0${String.fromCharCode(header.length)}\0${header}`), body]);
  };

  test('whose directory holds more files than its end counts, one inside of another', () => {
    const start = 30 + 'a.npy'.length;
    const hidden = file('b.npy', npy(PAYLOAD), start);
    const first = file('a.npy', hidden.local, 0);
    const directory = Buffer.concat([first.central, hidden.central]);
    const bytes = Buffer.concat([first.local, directory, end(1, directory.length, first.local.length)]);
    const { grade, findings } = scan(bytes, 'weights.npz');
    expect(grade).toBe('dangerous');
    expect(findings).toContainEqual(expect.objectContaining({ path: 'weights.npz!b.npy', name: 'os.system' }));
    expect(findings).toContainEqual(expect.objectContaining({ code: 'zip-views-differ' }));
  });

  test('whose directory stands elsewhere for Python, which counts back from the end', () => {
    const hidden = file('b.npy', npy(PAYLOAD), 0);
    const decoy = file('a.txt', Buffer.concat([Buffer.alloc(100), hidden.local, latin1('x')]), 0);
    const shown = Buffer.concat([decoy.local, decoy.central]);
    // Python takes what is before the directory for prepended: it adds as much to each offset
    const moved = file('b.npy', npy(PAYLOAD), 30 + 'a.txt'.length + 100 - decoy.central.length);
    const bytes = Buffer.concat([shown, moved.central, end(1, moved.central.length, decoy.local.length)]);
    expect(scan(bytes, 'weights.npz').findings).toContainEqual(expect.objectContaining({ path: 'weights.npz!b.npy', name: 'os.system' }));
  });

  test('that says twice how long a file is', () => {
    const content = Buffer.concat([latin1('N'), PAYLOAD]);
    const one = file('a.pkl', content, 0);
    const two = file('a.pkl', content.subarray(0, 1), 0);
    const directory = Buffer.concat([two.central, one.central]);
    const bytes = Buffer.concat([one.local, directory, end(2, directory.length, one.local.length)]);
    expect(scan(bytes, 'model.zip').grade).toBe('dangerous');
  });
});
