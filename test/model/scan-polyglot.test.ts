import { gzipSync } from 'node:zlib';
import { BufferBytes } from '../../lib/model/formats/bytes';
import { scanFile } from '../../lib/model/scan';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const PAYLOAD = "cos\nsystem\n(S'id'\ntR.";

const scan = (bytes: Buffer, name = 'model.bin') => scanFile(new BufferBytes(bytes), name);
const codes = (bytes: Buffer, name?: string) => scan(bytes, name).findings.map(({ code }) => code);

/** A tar of one file; its name's first letter is an opcode that takes the rest of the header for bytes. */
function tar(content: string, options: { readonly name?: string; readonly size?: number; readonly swallowed?: number } = {}): Buffer {
  const header = Buffer.alloc(512);
  header.write(options.name ?? 'a.txt', 'latin1');
  if (options.swallowed !== undefined) header.writeUInt32LE(options.swallowed, 1);
  header.write(`${(options.size ?? content.length).toString(8).padStart(11, '0')}\0`, 124, 'latin1');
  header.write('0ustar\0', 156, 'latin1');
  header.write('ustar\0', 257, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
    'latin1',
  );
  return Buffer.concat([header, latin1(content)]);
}

/** A sound safetensors file, whose header's length is BINUNICODE or another opcode, and whose tensor begins where that ends. */
function safetensors(tensor: string): Buffer {
  const start = '{"__metadata__":{"V":"';
  // byte 0 of the length is C: SHORT_BINBYTES, of as many bytes as byte 1 says; what follows is a line that V takes
  const length = 0x43 + 256 * 24;
  const end = `"},"t":{"dtype":"U8","shape":[${tensor.length}],"data_offsets":[0,${tensor.length}]}\n}`;
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([size, latin1(start + 'a'.repeat(length - start.length - end.length) + end + tensor)]);
}

describe('a file of another format that pickle.load runs', () => {
  const bzip2 = latin1('BZh1\0');
  const swallowed = Buffer.alloc(bzip2.readUInt32LE(1));
  test.each([
    ['CatBoost', Buffer.concat([latin1('CBM1'), Buffer.alloc(64), latin1(PAYLOAD)])],
    ['bzip2', Buffer.concat([bzip2, swallowed, latin1(PAYLOAD)])],
    ['tar', Buffer.concat([tar('', { name: 'B', swallowed: 507 }), latin1(PAYLOAD)])],
    ['safetensors', safetensors(PAYLOAD)],
    ['GGUF', Buffer.concat([latin1('GGUF\x03\0\0\0N'), latin1(`0${PAYLOAD}`)])],
  ])('%s: dangerous, whatever it is called', (_, bytes) => {
    for (const name of ['model.pkl', 'model.bin', 'weights']) expect(scan(bytes, name).grade).toBe('dangerous');
  });

  test('two readers see two things, even where the names that it imports are unknown', () => {
    expect(codes(safetensors('cmine\nThing\n)R.'))).toEqual(['polyglot', 'pickle-import']);
  });

  test('inside an archive as well', () => {
    expect(scan(gzipSync(safetensors(PAYLOAD))).grade).toBe('dangerous');
    const inner = safetensors(PAYLOAD).toString('latin1');
    expect(scan(tar(inner)).grade).toBe('dangerous');
  });

  test('a safetensors file that is nothing else is safe', () => {
    expect(codes(safetensors('\0\0\0\0'))).toEqual([]);
  });
});

describe('what is broken is not called safe', () => {
  test('a compressed stream', () => {
    expect(codes(latin1('BZh91AY&SYbroken\0\0\0'))).toContain('compressed-broken');
    expect(codes(gzipSync(Buffer.alloc(1000, 'abc')).subarray(0, 20))).toContain('compressed-broken');
  });

  test('a tar that is cut short, and one whose second header is damaged', () => {
    expect(codes(tar('abc', { size: 4000 }))).toContain('tar-broken');
    expect(codes(Buffer.concat([tar('a'.repeat(512)), Buffer.alloc(512, 'x')]))).toContain('tar-broken');
  });

  test('a zip without an end', () => {
    expect(codes(latin1('PK\x03\x04 and nothing else'))).toContain('zip-no-directory');
  });

  test('but a text is a text, though it begins like a compressed stream', () => {
    expect(codes(latin1('x^2 + y^2 = z^2\n'), 'README.md')).toEqual([]);
  });
});
