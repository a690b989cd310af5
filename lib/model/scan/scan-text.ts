import { judgeName } from './names';
import type { ScanContext } from './scan-context';

/** Ways from a template's values to the interpreter that renders it. */
const TEMPLATE_HARM =
  /__\w+__|\|\s*attr\b|\battr\s*\(|\\x5f|\\u005f|\\137|\b(lipsum|cycler|joiner|self|request|get_flashed_messages|url_for)\s*[.[|]|\b(popen|subprocess|os\.system|builtins|globals)\b|_TemplateReference__|\{%-?\s*(include|import|from|extends)\b|['"]__\w*['"]\s*[~+]|[~+]\s*['"]\w*__['"]|['"]_{1,2}['"]\s*[~*+]/;

/** Scans a Jinja template, such as a tokenizer's chat template: it is rendered by the server for each request. */
export function scanTemplate(template: string, path: string, context: ScanContext): void {
  const blocks = template.match(/\{\{.*?\}\}|\{%.*?%\}/gs) ?? [];
  for (const block of blocks) {
    const harm = TEMPLATE_HARM.exec(block);
    if (harm === null) continue;
    context.add({
      grade: 'dangerous',
      code: 'template-escape',
      path,
      name: harm[0].slice(0, 60),
      message: `the template reaches for the interpreter: ${block.slice(0, 160)}`,
    });
    return;
  }
}

const DEEPEST = 64;

/** Scans JSON of a Hugging Face directory, and of libraries that name classes in it. */
export function scanJson(text: string, path: string, context: ScanContext): void {
  let document: unknown;
  try {
    document = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    return;
  }
  walk(document, '', path, context, 0);
}

function walk(value: unknown, key: string, path: string, context: ScanContext, depth: number): void {
  if (depth > DEEPEST || context.isLate) return;
  if (typeof value === 'string') {
    if (/template/.test(key)) scanTemplate(value, `${path}!${key}`, context);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) named(value as Record<string, unknown>, path, context);
  for (const [name, child] of Object.entries(value)) walk(child, Array.isArray(value) ? key : name, path, context, depth + 1);
}

/** Code of its own by `auto_map`; skops' and jsonpickle's classes. */
function named(object: Record<string, unknown>, path: string, context: ScanContext): void {
  if (typeof object.auto_map === 'object' && object.auto_map !== null) {
    const code = Object.values(object.auto_map).flat().map(String).join(', ');
    context.add({
      grade: 'unknown',
      code: 'remote-code',
      path,
      name: code,
      message: `it names Python code to be loaded with it (${code}): trust_remote_code runs that`,
    });
  }
  const skops =
    typeof object.__module__ === 'string' && typeof object.__class__ === 'string' ? [object.__module__, object.__class__] : undefined;
  const pickled = Object.entries(object).find(([key]) => /^py\/(object|reduce|function|type|new|newobj|newargs|repr|ref)/.test(key));
  const [module, name] = skops ?? (typeof pickled?.[1] === 'string' ? split(pickled[1]) : [undefined, undefined]);
  if (pickled !== undefined && pickled[0] !== 'py/object') {
    context.add({
      grade: 'dangerous',
      code: 'jsonpickle',
      path,
      name: pickled[0],
      message: `jsonpickle's ${pickled[0]}: decoding it calls what it names`,
    });
  }
  if (module === undefined || name === undefined) return;
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

function split(path: string): [module: string, name: string] {
  const dot = path.lastIndexOf('.');
  return [path.slice(0, Math.max(dot, 0)), path.slice(dot + 1)];
}

/** PyYAML's tags that name Python objects: an unsafe loader makes them. */
export function scanYaml(text: string, path: string, context: ScanContext): void {
  for (const { tag, meant, offset } of yamlTags(text)) {
    const [, kind, name = ''] = PYTHON_TAG.exec(meant) ?? [];
    if (kind === undefined) continue;
    const judged = judgeName(...split(name));
    const calls = /apply|new|module/.test(kind);
    const grade = calls || judged.grade === 'dangerous' ? (judged.grade === 'safe' ? 'unknown' : 'dangerous') : 'unknown';
    context.add({
      grade,
      code: 'yaml-python',
      path,
      offset,
      name: name === '' ? tag : name,
      message: `${tag}: an unsafe YAML loader makes it`,
    });
  }
}

const PYTHON_TAG = /^(?:tag:yaml\.org,2002:|!)python\/(object\/apply|object\/new|object|module|name)[:/]?([\w.]*)/;

/** Tags as they are written, and what they mean once their handle and their escapes are resolved (YAML 1.1, 4.1 and 5.6). */
function* yamlTags(text: string): Generator<{ readonly tag: string; readonly meant: string; readonly offset: number }> {
  const handles = new Map([['!!', 'tag:yaml.org,2002:']]);
  for (const [, handle, prefix] of text.matchAll(/^%TAG[ \t]+(\S+)[ \t]+(\S+)/gm)) handles.set(handle!, prefix!);
  for (const match of text.matchAll(/!<([^>\s]+)>?|(!(?:[\w-]*!)?)([^\s,[\]{}'"<!]+)/g)) {
    const [tag, verbatim, handle = '', suffix = ''] = match;
    yield { tag, meant: unescaped(verbatim ?? (handles.get(handle) ?? handle) + suffix), offset: match.index };
  }
}

const unescaped = (uri: string): string =>
  uri.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
