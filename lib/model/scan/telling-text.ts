import type { Bytes } from '../formats/bytes';

/** One of these stands in a JSON or YAML document, as it is or escaped, of which anything is worth a finding: most hold none, and need not be read. */
const WORDS = ['template', 'class_name', 'auto_map', '__module__', 'py/', 'py\\/', 'python/', '%TAG', '!!', '!<', '\\u00'].map((word) =>
  Buffer.from(word),
);

/** The same by what stands beside it: vocabularies hold the word "template", and give it a number. */
const TELLING =
  /template[^"\n]{0,64}"\s*(:(?!\s*[-\d])|$)|"class_name"|auto_map|__module__|py\\?\/|python\/|%TAG|!!\w*%|!<[^>]*%|\\u00[2-7]/;
const LONGEST_MATCH = 256;

/** Bytes that are looked at in one go. Used again for each file: dead buffers would pile up. */
const STEP = Buffer.allocUnsafeSlow(64 * 1024);

/** Whether bytes are text, of either format, in which something may be worth a finding. Neither has a zero byte. */
export function tells(bytes: Bytes): boolean {
  // nothing that a model comes with is written in two bytes a character: what is there is read
  if (encodingOf(bytes) !== 'utf8') return true;
  let found = false;
  for (let at = 0; at < bytes.size; at += STEP.length - LONGEST_MATCH) {
    const step = STEP.subarray(0, bytes.fill(STEP, at));
    if (step.includes(0)) return false;
    found ||= WORDS.some((word) => step.includes(word)) && TELLING.test(step.toString('latin1'));
  }
  return found;
}

/** All of it as text; undefined where it is none. */
export function textOf(bytes: Bytes): string | undefined {
  const encoding = encodingOf(bytes);
  return encoding === 'utf8' ? bytes.read(0, bytes.size).toString('utf8') : wide(bytes, encoding);
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

function wide(bytes: Bytes, encoding: Encoding): string | undefined {
  const raw = Buffer.from(bytes.read(2, bytes.size - (bytes.size % 2) - 2));
  const text = (encoding === 'utf16be' ? raw.swap16() : raw).toString('utf16le');
  return text.includes('\0') ? undefined : text;
}
