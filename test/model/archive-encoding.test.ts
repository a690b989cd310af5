import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32, gunzipSync, inflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { huffmanWasmModule } from '../../.ci/build/wasm';
import { BlockEncoder } from '../../lib/model/archive/block-encoder';
import { type ArchiveMode, chooseMethod, type Method } from '../../lib/model/archive/choose-method';
import { crc32Combine, GZIP_HEADER, gzipEnd, storedPieces } from '../../lib/model/archive/gzip';
import { huffmanCode } from '../../lib/model/archive/huffman-code';
import { HuffmanEncoder, OVERRUN } from '../../lib/model/archive/huffman-encoder';
import { BLOCK } from '../../lib/model/archive/plan';
import { blockMemory } from '../../lib/model/archive/slots';

const memory = blockMemory(1, 1);
const slot = memory.slot(0);
const UNTOUCHED = Buffer.alloc(BLOCK, 0xaa);
const LAST_BLOCK = Buffer.from([3, 0]);

/** Numbers in [0, 1) that are the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function bytesOf(length: number, next: (index: number) => number): Buffer {
  return Buffer.from(Array.from({ length }, (_, index) => next(index)));
}

const uniform = random(1);
const noise = bytesOf(BLOCK, () => uniform() * 256);
/** Bytes of floats: every fourth has few values. */
const weights = bytesOf(BLOCK, (index) => (index % 4 === 3 ? 60 + uniform() * uniform() * 6 : uniform() * 256));
const pages = Buffer.from(noise).fill(0, 4096, BLOCK / 2);
const text = Buffer.from('the quick brown fox jumps over the lazy dog; '.repeat(30_000)).subarray(0, BLOCK);

describe('the WebAssembly in the repository', () => {
  test('is what its source builds to', async () => {
    expect(readFileSync(join(__dirname, '../../lib/model/archive/huffman-wasm.ts'), 'utf8')).toBe(await huffmanWasmModule());
  });
});

describe('a Huffman code', () => {
  const kraft = (lengths: Uint8Array) => lengths.reduce((sum, length) => sum + (length === 0 ? 0 : 2 ** -length), 0);

  test('uses all there is and gives no symbol more than 14 bits, for any counts', () => {
    const counts = fc.array(fc.oneof(fc.nat(5), fc.nat(2 ** 20)), { minLength: 2, maxLength: 257 });
    fc.assert(
      fc.property(counts, (values) => {
        fc.pre(values.filter((value) => value > 0).length >= 2);
        const { lengths, bits } = huffmanCode(Uint32Array.from(values));
        expect(Math.max(...lengths)).toBeLessThanOrEqual(14);
        expect(kraft(lengths)).toBe(1);
        expect(bits).toBe(values.reduce((sum, value, symbol) => sum + value * lengths[symbol]!, 0));
        expect([...lengths].map((length) => length > 0)).toEqual(values.map((value) => value > 0));
      }),
      { numRuns: 300 },
    );
  });

  test('of Fibonacci counts, whose unlimited code is as long as a code can be, stays within 14 bits and 2 % of it', () => {
    const counts = new Uint32Array(28);
    for (let index = 0; index < counts.length; index++) counts[index] = index < 2 ? 1 : counts[index - 1]! + counts[index - 2]!;
    const unlimited = huffmanCode(counts, 27);
    expect(Math.max(...unlimited.lengths)).toBe(27);
    const limited = huffmanCode(counts);
    expect(Math.max(...limited.lengths)).toBe(14);
    expect(limited.bits).toBeLessThan(unlimited.bits * 1.02);
  });

  test('is as short as entropy allows, within a bit a symbol', () => {
    const counts = new Uint32Array(257);
    for (const byte of weights) counts[byte]!++;
    const entropy = counts.reduce((sum, count) => sum - (count === 0 ? 0 : count * Math.log2(count / weights.length)), 0);
    const { bits } = huffmanCode(counts);
    expect(bits).toBeGreaterThanOrEqual(entropy);
    expect(bits).toBeLessThan(entropy * 1.01);
  });
});

describe('the Huffman encoder', () => {
  const encoder = new HuffmanEncoder(memory, 0);

  function roundTrip(bytes: Uint8Array): void {
    slot.input.set(bytes);
    slot.output.set(UNTOUCHED);
    const raw = slot.input.subarray(0, bytes.length);
    const plan = encoder.plan(raw);
    fc.pre(plan.bytes + OVERRUN <= slot.output.length);
    const length = encoder.encode(raw, plan, slot.output);
    expect(length).toBe(plan.bytes);
    expect(UNTOUCHED.equals(Buffer.concat([UNTOUCHED.subarray(0, length + OVERRUN), slot.output.subarray(length + OVERRUN)]))).toBe(true);
    const piece = Buffer.from(slot.output.subarray(0, length));
    expect(piece.subarray(-4).toString('hex')).toBe('0000ffff');
    expect(inflateRawSync(Buffer.concat([piece, LAST_BLOCK])).equals(bytes)).toBe(true);
  }

  test('writes what zlib reads, for any bytes', () => {
    const few = fc.array(fc.constantFrom(0, 1, 2, 255), { minLength: 1, maxLength: 3000 }).map((values) => Uint8Array.from(values));
    fc.assert(fc.property(fc.oneof(few, fc.uint8Array({ minLength: 1, maxLength: 5000 })), roundTrip), { numRuns: 300 });
  });

  test('writes what zlib reads, for one byte, for one value, and for bytes of very unequal frequency', () => {
    roundTrip(Buffer.from([7]));
    roundTrip(Buffer.alloc(BLOCK, 9));
    roundTrip(bytesOf(BLOCK, () => Math.min(255, Math.floor(-Math.log2(1 - uniform())) * 11)));
    roundTrip(weights);
  });
});

describe('the way of compressing', () => {
  const encoder = new HuffmanEncoder(memory, 0);
  const chosen = (bytes: Buffer, mode: ArchiveMode): Method => {
    slot.input.set(bytes);
    const raw = slot.input.subarray(0, bytes.length);
    return chooseMethod(raw, encoder.plan(raw).bytes, mode);
  };

  test.each<[string, Buffer, Method, Method]>([
    ['noise', noise, 'stored', 'stored'],
    ['weights, which save less than a tenth', weights, 'huffman', 'stored'],
    ['few values', Buffer.from(weights.map((byte) => byte & 0x3f)), 'huffman', 'huffman'],
    ['pages of zeros', pages, 'runs', 'runs'],
    ['text', text, 'deflate', 'deflate'],
  ])('of %s', (_, bytes, forSize, forSpeed) => {
    expect([chosen(bytes, 'size'), chosen(bytes, 'speed'), chosen(bytes, 'stored')]).toEqual([forSize, forSpeed, 'stored']);
  });
});

describe('blocks one after the other', () => {
  test.each<ArchiveMode>(['size', 'speed', 'stored'])('make one gzip member in mode %s', (mode) => {
    const encoder = new BlockEncoder(memory, 0, mode);
    const blocks = [noise, weights, pages, text, Buffer.alloc(BLOCK), Buffer.from('short')];
    const pieces = blocks.flatMap((block) => {
      slot.input.set(block);
      const length = encoder.encode(slot, block.length);
      return length === 0 ? storedPieces(block) : [Buffer.from(slot.output.subarray(0, length))];
    });
    const crc = blocks.reduce((sum, block) => crc32Combine(sum, crc32(block), block.length), 0);
    const whole = Buffer.concat(blocks);
    const archive = Buffer.concat([GZIP_HEADER, ...pieces, gzipEnd(crc, whole.length)]);
    expect(gunzipSync(archive).equals(whole)).toBe(true);
    if (mode === 'size') expect(archive.length).toBeLessThan(0.6 * whole.length);
  });
});

describe('a CRC-32 put together from two', () => {
  test('is that of the bytes together', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
        expect(crc32Combine(crc32(first), crc32(second), second.length)).toBe(crc32(Buffer.concat([first, second])));
      }),
    );
  });

  test('holds beyond 4 GiB: adding 9 GiB of zeros at once equals adding them by the mebibyte', () => {
    const zeros = crc32(Buffer.alloc(2 ** 20));
    let all = 0;
    for (let count = 0; count < 9 * 1024; count++) all = crc32Combine(all, zeros, 2 ** 20);
    expect(crc32Combine(0x1234, all, 9 * 2 ** 30)).toBe(
      Array.from({ length: 9 * 1024 }).reduce<number>((sum) => crc32Combine(sum, zeros, 2 ** 20), 0x1234),
    );
  });
});
