import type { Bytes } from '../formats/bytes';

/** One of these stands in a JSON or YAML document, as it is or escaped, of which anything is worth a finding: most hold none, and need not be read. */
const WORDS = ['template', 'auto_map', '__module__', 'py/', 'py\\/', 'python/', '%TAG', '!!', '!<', '\\u00'].map((word) =>
  Buffer.from(word),
);

/** The same by what stands beside it: vocabularies hold the word "template", and give it a number. */
const TELLING = /template[^"\n]{0,64}"\s*:(?!\s*[-\d])|auto_map|__module__|py\\?\/|python\/|%TAG|!!\w*%|!<[^>]*%|\\u00[2-7]/;
const LONGEST_MATCH = 256;

/** Bytes that are looked at in one go. Used again for each file: dead buffers would pile up. */
const STEP = Buffer.allocUnsafeSlow(64 * 1024);

/**
 * The text of a JSON or YAML document in which something may be worth a finding. Undefined for all others, and for bytes that are no text:
 * neither format has a zero byte, and weights that begin without one are not to be taken for megabytes of text.
 */
export function tellingText(bytes: Bytes): string | undefined {
  const encoding = encodingOf(bytes);
  if (encoding !== 'utf8') return wide(bytes, encoding);
  let tells = false;
  for (let at = 0; at < bytes.size; at += STEP.length - LONGEST_MATCH) {
    const step = STEP.subarray(0, bytes.fill(STEP, at));
    if (step.includes(0)) return undefined;
    tells ||= WORDS.some((word) => step.includes(word)) && TELLING.test(step.toString('latin1'));
  }
  return tells ? bytes.read(0, bytes.size).toString('utf8') : undefined;
}

/** Whether bytes begin like text of one of the encodings that loaders of JSON and YAML tell by themselves. */
export function startsLikeText(bytes: Bytes, head: Buffer): boolean {
  return !head.includes(0) || encodingOf(bytes) !== 'utf8';
}

type Encoding = 'utf8' | 'utf16le' | 'utf16be';

function encodingOf(bytes: Bytes): Encoding {
  const mark = bytes.read(0, 2).toString('hex');
  return mark === 'fffe' ? 'utf16le' : mark === 'feff' ? 'utf16be' : 'utf8';
}

/** Nothing that a model comes with is written in two bytes a character: what is there is read. */
function wide(bytes: Bytes, encoding: Encoding): string | undefined {
  const raw = Buffer.from(bytes.read(2, bytes.size - (bytes.size % 2) - 2));
  const text = (encoding === 'utf16be' ? raw.swap16() : raw).toString('utf16le');
  return text.includes('\0') ? undefined : text;
}
