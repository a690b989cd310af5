/** A request's head, from bytes that hold it whole. */
export interface Head {
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names, as they were spelled, and values in turn. */
  readonly rawHeaders: readonly string[];
  /** Bytes of the head with its blank line. */
  readonly length: number;
  readonly bodyLength: number;
}

/** Everything that changes how a message is framed or a connection used, and that the short way therefore leaves to Node's own server. */
const NOT_PLAIN = new Set(['transfer-encoding', 'expect', 'upgrade', 'connection', 'trailer', 'te']);

const METHOD = 'POST ';
const VERSION = ' HTTP/1.1';
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const URL = /^\/[!-~]*$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these no head may hold, beside the line breaks between its fields
const NOT_A_HEAD = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;
/** Spaces and tabs alone: `trim` takes U+00A0 too, which is the second byte of an "à". */
const AROUND = /^[ \t]+|[ \t]+$/g;
/** What a field's value may not hold (RFC 9110, 5.5); beyond U+00FF, a character written as latin1 would become another, a line break maybe. */
const NOT_A_VALUE = /[^\t\x20-\x7e\x80-\xff]/;

/**
 * Reads the head of a plain `POST ... HTTP/1.1` with a Content-Length and nothing unusual; undefined for every other one, however
 * valid, and for what is incomplete: Node's server then reads it, or refuses it.
 */
export function plainHead(bytes: Buffer): Head | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const text = bytes.toString('latin1', 0, end);
  const known = heads.get(text);
  if (known !== undefined) return known;
  const head = read(text);
  if (head !== undefined && text.length <= LONGEST_KEPT) {
    if (heads.size === MOST_HEADS) heads.clear();
    heads.set(text, head);
  }
  return head;
}

/** Heads as they came last: a client's differ in little but the length of the body, where it does not sign them. */
const heads = new Map<string, Head>();
const MOST_HEADS = 64;
const LONGEST_KEPT = 1024;

function read(text: string): Head | undefined {
  if (NOT_A_HEAD.test(text)) return undefined;
  let lineEnd = text.indexOf('\r\n');
  if (lineEnd < 0) return undefined;
  const line = text.slice(0, lineEnd);
  if (!line.startsWith(METHOD) || !line.endsWith(VERSION)) return undefined;
  const url = line.slice(METHOD.length, -VERSION.length);
  if (!URL.test(url)) return undefined;
  const headers: Record<string, string> = {};
  const rawHeaders: string[] = [];
  while (lineEnd < text.length) {
    const start = lineEnd + 2;
    lineEnd = text.indexOf('\r\n', start);
    if (lineEnd < 0) lineEnd = text.length;
    const colon = text.indexOf(':', start);
    if (colon < 0 || colon >= lineEnd) return undefined;
    const spelled = text.slice(start, colon);
    const name = nameOf(spelled);
    const value = text.slice(colon + 1, lineEnd).replace(AROUND, '');
    if (name === undefined || name in headers) return undefined;
    if (NOT_PLAIN.has(name) && !(name === 'connection' && value.toLowerCase() === 'keep-alive')) return undefined;
    headers[name] = value;
    rawHeaders.push(spelled, value);
  }
  const length = headers['content-length'];
  if (length === undefined || headers.host === undefined || !/^\d{1,9}$/.test(length)) return undefined;
  return { url, headers, rawHeaders, length: text.length + 4, bodyLength: Number(length) };
}

/** Whether a header may hold this: one that holds a line break would end its line and begin another. */
export function isFieldValue(value: string): boolean {
  return !NOT_A_VALUE.test(value);
}

/** Names as clients spell them, which is the same from one request to the next; beyond so many, they are looked at anew. */
const spellings = new Map<string, string>();
const MOST_SPELLINGS = 200;

/** A field's name in lower case; undefined where it is none. */
function nameOf(spelled: string): string | undefined {
  const known = spellings.get(spelled);
  if (known !== undefined) return known;
  const name = spelled.toLowerCase();
  if (!TOKEN.test(name)) return undefined;
  if (spellings.size < MOST_SPELLINGS) spellings.set(spelled, name);
  return name;
}
