import { parseCsv } from '../../serving/codec/csv';

/** A value as answers and outcomes are compared: numbers as numbers, true and false as 1 and 0, all else as text without space around it; null where there is none. */
export type KnownValue = number | string | null;

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** @returns undefined for what is no value: an object, say */
export function knownValue(given: unknown): KnownValue | undefined {
  if (given === null || given === undefined) return null;
  if (typeof given === 'number') return Number.isNaN(given) ? null : given;
  if (typeof given === 'boolean') return Number(given);
  return typeof given === 'string' ? fromText(given.trim()) : undefined;
}

function fromText(text: string): KnownValue {
  const lower = text.toLowerCase();
  if (lower === '' || lower === 'nan') return null;
  if (lower === 'true' || lower === 'false') return Number(lower === 'true');
  if (!DECIMAL.test(text)) return text;
  const value = Number(text);
  // A double would round it.
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? text : value;
}

/** Whether an answer is what happened. Fractions are the same where they are as a model of 32 bits writes them. */
export function isSame(answer: KnownValue, outcome: KnownValue): boolean {
  if (answer === outcome) return true;
  if (typeof answer !== 'number' || typeof outcome !== 'number') return false;
  return !(Number.isInteger(answer) && Number.isInteger(outcome)) && Math.fround(answer) === Math.fround(outcome);
}

/** The first value of an answer: of its first row and output, in JSON or CSV, whichever it was called. Null where it holds none. */
export function firstValue(body: Uint8Array, contentType?: string): KnownValue {
  return knownValue(innermost(parsed(body, contentType))) ?? null;
}

/** How many rows an answer has, as far as it can be seen. */
export function rowsIn(body: Uint8Array, contentType?: string): number {
  const rows = rowsOf(parsed(body, contentType));
  return Array.isArray(rows) ? rows.length : 1;
}

/** JSON as it is, CSV as its records. */
function parsed(body: Uint8Array, contentType = ''): unknown {
  const text = new TextDecoder().decode(body).trim();
  if (/json/i.test(contentType) || /^[[{]/.test(text)) {
    try {
      return JSON.parse(text);
    } catch {
      // Called JSON, or alike; it may be CSV all the same.
    }
  }
  try {
    return parseCsv(text);
  } catch {
    return null;
  }
}

function innermost(answer: unknown): unknown {
  const rows = rowsOf(answer);
  if (typeof rows !== 'object' || rows === null) return rows;
  return innermost(Array.isArray(rows) ? rows[0] : Object.values(rows)[0]);
}

function rowsOf(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  const { predictions, outputs } = answer as Record<string, unknown>;
  return predictions ?? outputs ?? answer;
}
