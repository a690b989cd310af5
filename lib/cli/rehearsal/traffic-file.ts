import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { UserError } from '../exit-codes';

/** The text of a traffic file, gzipped or not, without a byte order mark. @throws UserError that says why it cannot be read */
export function readText(file: string): string {
  const bytes = readBytes(file);
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new UserError(`${file} is written in UTF-16: save it as UTF-8`);
  if (!isUtf8(bytes)) throw new UserError(`${file}, line ${badLine(bytes)}: is not UTF-8: save the file as UTF-8`);
  return new TextDecoder().decode(bytes);
}

function readBytes(file: string): Buffer {
  try {
    const bytes = readFileSync(file);
    return bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'permission denied',
      Z_BUF_ERROR: 'it is a gzip file that was cut off',
    };
    throw new UserError(`${file} cannot be read: ${why[code ?? ''] ?? (code?.startsWith('Z_') ? 'it is a damaged gzip file' : message)}`);
  }
}

/** The first line, from 1, that is not UTF-8: no character of more bytes than one holds a line feed. */
function badLine(bytes: Buffer): number {
  let [line, from] = [1, 0];
  for (let end = bytes.indexOf(10); end >= 0 && isUtf8(bytes.subarray(from, end)); end = bytes.indexOf(10, from)) {
    line += 1;
    from = end + 1;
  }
  return line;
}

/** The line, from 1, of a place in the text. */
export function lineAt(text: string, place: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < place; at = text.indexOf('\n', at + 1)) line += 1;
  return line;
}

/** Text of others as a message shows it: quoted, short, and without control characters. */
export function shown(text: string): string {
  const short = text.length > 60 ? `${text.slice(0, 60)}...` : text;
  return printable(JSON.stringify(short));
}

/** Without characters that a terminal obeys, that turn the direction of what follows, or that nobody sees. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);
