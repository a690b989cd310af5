/** A Huffman code for one deflate block without matches (RFC 1951, 3.2.7): its lengths, its bits, and the header that tells a reader. */

/** The 256 byte values and the end of the block. */
export const SYMBOLS = 257;
export const END_OF_BLOCK = 256;

/** Deflate allows 15; with 14, four codes and seven bits left over fit in 64 bits, and the output hardly grows. */
const LONGEST = 14;
const LONGEST_OF_LENGTHS = 7;

/** The order in which a header gives the lengths of the code for lengths. */
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

export interface HuffmanCode {
  /** Bits of each symbol's code; 0 for a symbol that does not occur. */
  readonly lengths: Uint8Array;
  /** Bits of all symbols together. */
  readonly bits: number;
}

/** The shortest code for symbols that occur `counts[symbol]` times, none longer than `longest` bits. */
export function huffmanCode(counts: Uint32Array, longest = LONGEST): HuffmanCode {
  const ranked = byWeight(counts);
  const ranks = new Float64Array(ranked.length);
  for (let rank = 0; rank < ranks.length; rank++) ranks[rank] = counts[ranked[rank]!]!;
  limit(codeLengths(ranks), longest);
  const lengths = new Uint8Array(counts.length);
  let bits = 0;
  for (let rank = 0; rank < ranks.length; rank++) {
    const symbol = ranked[rank]!;
    lengths[symbol] = ranks[rank]!;
    bits += ranks[rank]! * counts[symbol]!;
  }
  return { lengths, bits };
}

/** The symbols that occur, rarest first. */
function byWeight(counts: Uint32Array): Uint16Array {
  // One sortable number holds a count and, in its last nine bits, the symbol.
  const keys = new Float64Array(counts.length);
  let used = 0;
  for (let symbol = 0; symbol < counts.length; symbol++) {
    if (counts[symbol]! > 0) keys[used++] = counts[symbol]! * 512 + symbol;
  }
  const symbols = new Uint16Array(used);
  keys.subarray(0, used).sort();
  for (let rank = 0; rank < used; rank++) symbols[rank] = keys[rank]! % 512;
  return symbols;
}

/**
 * Lengths of an unlimited Huffman code for ascending weights, in place (Moffat and Katajainen, "In-place calculation of minimum-redundancy
 * codes", 1995): weights become parents, parents depths of inner nodes, and those depths of leaves.
 */
function codeLengths(tree: Float64Array): Float64Array {
  const leaves = tree.length;
  if (leaves <= 1) return tree.fill(1);
  let leaf = 0;
  let inner = 0;
  const lightest = (next: number) => {
    if (leaf >= leaves || (inner < next && tree[inner]! < tree[leaf]!)) {
      const weight = tree[inner]!;
      tree[inner++] = next;
      return weight;
    }
    return tree[leaf++]!;
  };
  for (let next = 0; next < leaves - 1; next++) {
    const first = lightest(next);
    tree[next] = first + lightest(next);
  }

  tree[leaves - 2] = 0;
  for (let node = leaves - 3; node >= 0; node--) tree[node] = tree[tree[node]!]! + 1;

  let open = 1;
  let node = leaves - 2;
  let next = leaves - 1;
  for (let depth = 0; open > 0; depth++) {
    let innerHere = 0;
    for (; node >= 0 && tree[node] === depth; node--) innerHere++;
    for (; open > innerHere; open--) tree[next--] = depth;
    open = 2 * innerHere;
  }
  return tree;
}

/**
 * Cuts codes that are too long and pays by lengthening others, those first that are nearly as long. Lengths descend. A code of n bits takes
 * 2^(longest - n) of the 2^longest places that there are, and a code that readers accept takes all of them.
 */
function limit(lengths: Float64Array, longest: number): void {
  let free = 1 << longest;
  for (let rank = 0; rank < lengths.length; rank++) {
    if (lengths[rank]! > longest) lengths[rank] = longest;
    free -= 1 << (longest - lengths[rank]!);
  }
  for (let rank = 0; free < 0; rank++) {
    for (; lengths[rank]! < longest && free < 0; lengths[rank]!++) free += 1 << (longest - lengths[rank]! - 1);
  }
  for (let rank = lengths.length - 1; free > 0 && rank >= 0; rank--) {
    for (let places = 1 << (longest - lengths[rank]!); lengths[rank]! > 1 && places <= free; places *= 2) {
      free -= places;
      lengths[rank]!--;
    }
  }
}

/** Canonical codes, each as its bits (first bit lowest) in the lower 16 and its length in the upper 16, as huffman.wat reads them. */
export function codeTable(lengths: Uint8Array, table: Uint32Array): void {
  let code = 0;
  table.fill(0);
  for (let length = 1; length <= 15; length++) {
    code <<= 1;
    for (let symbol = 0; symbol < lengths.length; symbol++) {
      if (lengths[symbol] === length) table[symbol] = (length << 16) | reversed(code++, length);
    }
  }
}

/** Writes bits, lowest first. */
export interface BitSink {
  put(value: number, bits: number): void;
}

/** Bits of the header of a block whose code is `lengths`. */
export function headerBits(lengths: Uint8Array): number {
  return 3 + 5 + 5 + 4 + 3 * LENGTHS_ORDER.length + lengthsCode(lengths).code.bits;
}

/** Writes the header of a block that is not the last. Its lengths are not run-length coded: that would save some fifty bytes. */
export function writeHeader(lengths: Uint8Array, sink: BitSink): void {
  const { all, code } = lengthsCode(lengths);
  const table = new Uint32Array(LENGTHS_ORDER.length);
  codeTable(code.lengths, table);
  sink.put(0, 1);
  sink.put(2, 2);
  sink.put(SYMBOLS - 257, 5);
  sink.put(0, 5);
  sink.put(LENGTHS_ORDER.length - 4, 4);
  for (const symbol of LENGTHS_ORDER) sink.put(code.lengths[symbol]!, 3);
  for (const length of all) sink.put(table[length]! & 0xffff, table[length]! >>> 16);
}

/** The lengths that a header tells, with the one unused distance code, and the code that tells them. */
function lengthsCode(lengths: Uint8Array): { readonly all: Uint8Array; readonly code: HuffmanCode } {
  const all = new Uint8Array(SYMBOLS + 1);
  all.set(lengths);
  const counts = new Uint32Array(LENGTHS_ORDER.length);
  for (const length of all) counts[length]!++;
  return { all, code: huffmanCode(counts, LONGEST_OF_LENGTHS) };
}

function reversed(code: number, length: number): number {
  let bits = 0;
  for (let index = 0; index < length; index++) bits |= ((code >>> index) & 1) << (length - 1 - index);
  return bits;
}
