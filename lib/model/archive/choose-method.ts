/**
 * Which way of compressing pays for some bytes. A pure function of the bytes and the mode: anything that a worker remembered from other
 * blocks would make two runs differ.
 */

/** What an archive is made for: few bytes (`size`), a fast way up (`speed`), or the fastest way in and out (`stored`). */
export type ArchiveMode = 'size' | 'speed' | 'stored';

/** As they are; by Huffman alone; by runs of equal bytes and Huffman; by matches and Huffman, which is all that deflate has. */
export type Method = 'stored' | 'huffman' | 'runs' | 'deflate';

/** The least share of the bytes that must be saved, or else they are stored. */
const LEAST_SAVING = { size: 0.01, speed: 0.1 } as const;

/** The least share of sampled places that must repeat, so that looking for matches is worth many times the time of Huffman. */
const LEAST_MATCHES = { size: 0.04, speed: 0.2 } as const;
const LEAST_RUNS = 0.02;

/** @param huffmanBytes what Huffman alone would make of the bytes */
export function chooseMethod(raw: Uint8Array, huffmanBytes: number, mode: ArchiveMode): Method {
  if (mode === 'stored') return 'stored';
  const { matches, runs } = repetition(raw);
  if (matches >= LEAST_MATCHES[mode]) return 'deflate';
  if (runs >= LEAST_RUNS) return 'runs';
  return huffmanBytes <= raw.length * (1 - LEAST_SAVING[mode]) ? 'huffman' : 'stored';
}

/** Bytes a sample, and between the starts of two samples: one byte in thirty-two is looked at. */
const SAMPLE = 4096;
const STRIDE = 32 * SAMPLE;
const TABLE_BITS = 12;

/** Shares of the sampled places whose four bytes stood in the sample before: as a run of one byte (`runs`), or otherwise (`matches`). */
function repetition(raw: Uint8Array): { readonly matches: number; readonly runs: number } {
  let places = 0;
  let matches = 0;
  let runs = 0;
  const lastSeen = new Int32Array(1 << TABLE_BITS);
  for (let start = 0; start < raw.length; start += STRIDE) {
    const end = Math.min(start + SAMPLE, raw.length) - 4;
    for (let at = start; at <= end; at++) {
      const word = raw[at]! | (raw[at + 1]! << 8) | (raw[at + 2]! << 16) | (raw[at + 3]! << 24);
      const place = Math.imul(word, 0x9e3779b1) >>> (32 - TABLE_BITS);
      // Places are kept one higher, so that 0 says that there is none.
      const before = lastSeen[place]! - 1;
      lastSeen[place] = at + 1;
      places++;
      if (before < start) continue;
      const same =
        raw[before] === raw[at] && raw[before + 1] === raw[at + 1] && raw[before + 2] === raw[at + 2] && raw[before + 3] === raw[at + 3];
      if (same) {
        if (before === at - 1) runs++;
        else matches++;
      }
    }
  }
  return { matches: matches / Math.max(places, 1), runs: runs / Math.max(places, 1) };
}
