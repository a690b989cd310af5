import type { Bytes } from '../formats/bytes';
import { readPythonJson } from '../formats/python-json';
import { inTime } from './in-time';
import { judgeName } from './names';
import type { ScanContext } from './scan-context';
import { scanTorchScript } from './scan-graphs';
import { scanKerasConfig } from './scan-keras-config';
import { scanTemplate } from './scan-template';
import { scanYaml } from './scan-yaml';
import { splitPath } from './split-path';
import { startsLikeText, tells, textOf } from './telling-text';

/** Bytes up to which a text is read whole. */
const LARGEST_TEXT = 16 * 1024 * 1024;

/** Whether bytes may be text of a kind that is scanned: by how they begin, or since a loader takes them for such by their name. */
export function mayBeText(bytes: Bytes, head: Buffer, path: string): boolean {
  return isTemplate(path) || isTorchScript(path) || startsLikeText(bytes, head);
}

const isTemplate = (path: string) => /\.(jinja2?|j2|tmpl)$/i.test(path);
const isTorchScript = (path: string) => /(^|!)[^!]*\bcode\/__torch__.*\.py$/.test(path);

/** Scans text as each of the kinds that it may be taken for: JSON, YAML, a template, TorchScript's code. */
export function scanText(bytes: Bytes, path: string, context: ScanContext): void {
  const isNamed = isTemplate(path) || isTorchScript(path);
  if (!isNamed && !tells(bytes)) return;
  if (bytes.size > LARGEST_TEXT) {
    context.add({
      grade: 'unknown',
      code: 'text-too-large',
      path,
      message: `a text of more than ${LARGEST_TEXT / 1024 / 1024} MiB with words that may name code was not read`,
    });
    return;
  }
  const text = isNamed ? bytes.read(0, bytes.size).toString('utf8') : textOf(bytes);
  if (text === undefined) return;
  if (/^\s*[{[]/.test(text)) scanJson(text, path, context);
  if (isTemplate(path)) scanTemplate(text, path, context);
  if (isTorchScript(path)) scanTorchScript(text, path, context);
  scanYaml(text, path, context);
}

/** What begins like JSON, and no ini file or Markdown does. */
const BEGINS_LIKE_JSON = /^\s*(\{\s*["}]|\[\s*["{[])/;

/** Scans JSON of a Hugging Face directory, of Keras, and of libraries that name classes in it; one document, or one a line. */
export function scanJson(given: string, path: string, context: ScanContext): void {
  const text = given.replace(/^\uFEFF/, '');
  try {
    for (const document of documents(text)) scanDocument(document, path, context);
  } catch (error) {
    if (/\.json\w*$/i.test(path) || BEGINS_LIKE_JSON.test(text))
      context.add({
        grade: 'unknown',
        code: 'json-unread',
        path,
        message: `JSON that was not read to its end: ${(error as Error).message.slice(0, 160)}`,
      });
  }
}

function* documents(text: string): Generator<unknown> {
  let whole: unknown;
  try {
    whole = readPythonJson(text);
  } catch (error) {
    const lines = text.split('\n').filter((line) => /\S/.test(line));
    if (lines.length < 2) throw error;
    for (const line of lines) yield readPythonJson(line);
    return;
  }
  yield whole;
}

/** Every string and object, however deep it stands; what stands below a template is one. */
function scanDocument(root: unknown, path: string, context: ScanContext): void {
  if (isKerasConfig(root)) scanKerasConfig(root, path, context);
  const values = [root];
  const keys = [''];
  for (const at of inTime(values.keys(), context, () => context.outOfTime(path, 'unknown'))) {
    const value = values[at]!;
    const key = keys[at]!;
    if (typeof value === 'string') scanTemplate(value, `${path}!${key}`, context);
    if (typeof value !== 'object') continue;
    if (!Array.isArray(value)) named(value as Record<string, unknown>, path, context);
    for (const [name, child] of Object.entries(value)) {
      const inner = Array.isArray(value) || /template/.test(key) ? key : name;
      if ((typeof child === 'object' && child !== null) || (typeof child === 'string' && /template/.test(inner))) {
        values.push(child);
        keys.push(inner);
      }
    }
  }
}

/** As `model.to_json()` writes it, and as it lies in the directory of a Keras model. */
function isKerasConfig(document: unknown): boolean {
  const { class_name: name, config } = (document ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && config !== undefined;
}

/** Code of its own by `auto_map`; skops' and jsonpickle's classes. */
function named(object: Record<string, unknown>, path: string, context: ScanContext): void {
  if (typeof object.auto_map === 'object' && object.auto_map !== null) {
    const code = Object.values(object.auto_map)
      .flat()
      .filter((name) => typeof name === 'string')
      .join(', ');
    context.add({
      grade: 'unknown',
      code: 'remote-code',
      path,
      name: code,
      message: `it names Python code to be loaded with it (${code}): trust_remote_code runs that`,
    });
  }
  const entries = Object.entries(object).filter(([key]) => /^py\/(object|reduce|function|type|new|newobj|newargs|repr|ref|mod)/.test(key));
  for (const [key] of entries) {
    if (key === 'py/object') continue;
    context.add({
      grade: 'dangerous',
      code: 'jsonpickle',
      path,
      name: key,
      message: `jsonpickle's ${key}: decoding it calls what it names`,
    });
  }
  for (const [, name] of entries) if (typeof name === 'string') judgeClass(...splitPath(name), path, context);
  if (typeof object.__module__ === 'string' && typeof object.__class__ === 'string')
    judgeClass(object.__module__, object.__class__, path, context);
}

function judgeClass(module: string, name: string, path: string, context: ScanContext): void {
  const judged = judgeName(module, name);
  if (judged.grade !== 'safe')
    context.add({
      grade: judged.grade,
      code: 'json-class',
      path,
      name: `${module}.${name}`,
      message: `it names the class ${module}.${name}: ${judged.why}`,
    });
}
