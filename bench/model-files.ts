import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Files as large models have them, made from a seed: weights of four number formats, pages of zeros, text. */

/** Which share of the bytes is what. */
const SHARES = { fp32: 0.36, bf16: 0.26, fp16: 0.16, int8: 0.12, zeros: 0.05, text: 0.05 } as const;

export type Kind = keyof typeof SHARES;

const WEIGHTS_PER_FILE = 6 * 2 ** 20;
const TEXT_PER_FILE = 96 * 1024;
const CHUNK = 2 ** 20;
const ROW = 1024;

/** Writes about `bytes` bytes in many files below `directory`; equal seeds write equal bytes. Returns how many files. */
export function writeModelFiles(directory: string, bytes: number, seed = 1, kinds = Object.keys(SHARES) as Kind[]): number {
  const random = uniform(seed);
  const normals = Float32Array.from({ length: 2 ** 21 }, () => normal(random));
  const words = Array.from({ length: 20_000 }, () => word(random));
  const whole = kinds.reduce((sum, kind) => sum + SHARES[kind], 0);
  let files = 0;
  for (const kind of kinds) {
    let left = Math.round((bytes * SHARES[kind]) / whole);
    for (let index = 0; left > 0; index++) {
      const most = kind === 'text' ? TEXT_PER_FILE : WEIGHTS_PER_FILE;
      const size = Math.min(left, Math.round(most * (0.25 + 1.5 * random())));
      const name = kind === 'text' ? `text/${index}.json` : `${kind}/layer-${index}.weight`;
      write(join(directory, name), size, (target) => fill(kind, target, normals, words, random));
      left -= size;
      files++;
    }
  }
  return files;
}

function write(path: string, size: number, fillChunk: (target: Buffer) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  const descriptor = openSync(path, 'w');
  const chunk = Buffer.alloc(CHUNK);
  for (let left = size; left > 0; left -= CHUNK) {
    fillChunk(chunk);
    writeSync(descriptor, chunk, 0, Math.min(left, CHUNK));
  }
  closeSync(descriptor);
}

function fill(kind: Kind, target: Buffer, normals: Float32Array, words: string[], random: () => number): void {
  if (kind === 'text') fillText(target, words, random);
  else if (kind === 'zeros') fillPages(target, normals, random);
  else fillWeights(kind, target, normals, random);
}

/** Normal weights, each row with a scale of its own as trained layers have. */
function fillWeights(kind: 'fp32' | 'bf16' | 'fp16' | 'int8', target: Buffer, normals: Float32Array, random: () => number): void {
  const width = { fp32: 4, bf16: 2, fp16: 2, int8: 1 }[kind];
  const count = target.length / width;
  const floats = new Float32Array(target.buffer, target.byteOffset, kind === 'fp32' ? count : 0);
  const halves = new Uint16Array(target.buffer, target.byteOffset, width === 2 ? count : 0);
  const bits = new Float32Array(1);
  const word = new Uint32Array(bits.buffer);
  for (let row = 0; row < count; row += ROW) {
    const scale = kind === 'int8' ? 127 / (3 + 1.5 * random()) : 0.02 * (0.3 + 1.4 * random());
    const start = Math.floor(random() * (normals.length - ROW));
    for (let column = 0; column < ROW && row + column < count; column++) {
      const value = normals[start + column]! * scale;
      if (kind === 'fp32') floats[row + column] = value;
      else if (kind === 'int8') target.writeInt8(Math.max(-127, Math.min(127, Math.round(value))), row + column);
      else {
        bits[0] = value;
        halves[row + column] = kind === 'bf16' ? (word[0]! + 0x8000) >>> 16 : toHalf(word[0]!);
      }
    }
  }
}

/** Pages of 4 KiB of which two thirds are zero, as in sparse embeddings and optimiser states. */
function fillPages(target: Buffer, normals: Float32Array, random: () => number): void {
  fillWeights('fp32', target, normals, random);
  for (let page = 0; page < target.length; ) {
    const length = 4096 * Math.ceil(64 * random());
    if (random() < 2 / 3) target.fill(0, page, Math.min(target.length, page + length));
    page += length;
  }
}

/** JSON of words whose frequencies fall as in language (Zipf), as vocabularies and tokenizers hold. */
function fillText(target: Buffer, words: string[], random: () => number): void {
  for (let at = 0; at < target.length; ) {
    const text = words[Math.floor(words.length ** random())]!;
    at += target.write(random() < 0.2 ? `"${text}": ${Math.floor(random() * 50_000)},\n` : `${text} `, at);
  }
}

function toHalf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 112;
  if (exponent <= 0) return exponent < -10 ? sign : sign | (((bits & 0x7fffff) | 0x800000) >>> (14 - exponent));
  return sign | (exponent << 10) | ((bits & 0x7fffff) >>> 13);
}

function word(random: () => number): string {
  const syllables = 1 + Math.floor(3.5 * random());
  const pick = (letters: string) => letters[Math.floor(letters.length * random())]!;
  return Array.from({ length: syllables }, () => pick('bcdfghklmnprstvw') + pick('aeiou') + (random() < 0.3 ? pick('nrst') : '')).join('');
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Uniform numbers in [0, 1) (mulberry32). */
function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
