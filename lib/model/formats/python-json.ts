/** Texts up to this are parsed as they are; of longer ones the values are counted first, each of which takes memory. */
const SMALL = 4 * 1024 * 1024;

/** Values, about, that a text may hold: some 50 MB of them. */
const MOST_VALUES = 1_000_000;

/**
 * Reads JSON as Python's json module does: `NaN`, `Infinity` and `-Infinity` are values (null here), of equal keys the last counts, lone
 * surrogates and numbers of any length pass.
 *
 * @throws Error when Python would not read it either, or at more than about a million values
 */
export function readPythonJson(text: string): unknown {
  if (text.length > SMALL && holdsTooMuch(text)) throw new Error(`it holds more than ${MOST_VALUES} values`);
  try {
    return JSON.parse(text);
  } catch (error) {
    const plain = withoutConstants(text);
    if (plain === undefined) throw error;
    return JSON.parse(plain);
  }
}

const COMMA = 0x2c;
const LIST = 0x5b;
const OBJECT = 0x7b;

function holdsTooMuch(text: string): boolean {
  let values = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if ((code === COMMA || code === LIST || code === OBJECT) && ++values > MOST_VALUES) return true;
  }
  return false;
}

/** Python's constants outside of strings as null; undefined where there are none. */
function withoutConstants(text: string): string | undefined {
  const marks = /"|-?Infinity|NaN/g;
  const parts: string[] = [];
  let done = 0;
  for (let mark = marks.exec(text); mark !== null; mark = marks.exec(text)) {
    if (mark[0] === '"') {
      marks.lastIndex = stringEnd(text, mark.index + 1, '"');
      continue;
    }
    parts.push(text.slice(done, mark.index), 'null');
    done = marks.lastIndex;
  }
  return parts.length === 0 ? undefined : parts.join('') + text.slice(done);
}

/** Behind the end of a string of which the first character stands at `at`: the text's own end where it has none. */
export function stringEnd(text: string, at: number, quote: string): number {
  for (let end = text.indexOf(quote, at); end >= 0; end = text.indexOf(quote, end + 1)) {
    let backslashes = 0;
    while (end - backslashes > at && text[end - backslashes - 1] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end + 1;
  }
  return text.length;
}

/** Bytes of JSON as text, in the encoding that `json.loads` takes them for (CPython's json/__init__.py, `detect_encoding`). */
export function decodePythonJson(bytes: Buffer): string {
  const [b0, b1, b2, b3] = bytes;
  const mark = bytes.toString('latin1', 0, 4);
  if (mark === '\0\0\xfe\xff') return utf32(bytes.subarray(4), 'readUInt32BE');
  if (mark === '\xff\xfe\0\0') return utf32(bytes.subarray(4), 'readUInt32LE');
  if (mark.startsWith('\xfe\xff')) return utf16be(bytes.subarray(2));
  if (mark.startsWith('\xff\xfe')) return bytes.toString('utf16le', 2);
  if (mark.startsWith('\xef\xbb\xbf')) return bytes.toString('utf8', 3);
  if (bytes.length >= 4 && b0 === 0) return b1 === 0 ? utf32(bytes, 'readUInt32BE') : utf16be(bytes);
  if (bytes.length >= 4 && b1 === 0) return b2 === 0 && b3 === 0 ? utf32(bytes, 'readUInt32LE') : bytes.toString('utf16le');
  return bytes.toString('utf8');
}

function utf16be(bytes: Buffer): string {
  return Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)))
    .swap16()
    .toString('utf16le');
}

function utf32(bytes: Buffer, read: 'readUInt32BE' | 'readUInt32LE'): string {
  const units = Buffer.alloc(bytes.length - (bytes.length % 4));
  let length = 0;
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const code = bytes[read](at);
    if (code > 0x10ffff) throw new Error(`no character at byte ${at}`);
    const character = String.fromCodePoint(code);
    length += units.write(character, length, 'utf16le');
  }
  return units.toString('utf16le', 0, length);
}
