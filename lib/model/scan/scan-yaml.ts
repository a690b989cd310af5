import { inTime } from './in-time';
import { judgeName } from './names';
import type { ScanContext } from './scan-context';
import { splitPath } from './split-path';

/** PyYAML's tags that name Python objects: an unsafe loader makes them. */
export function scanYaml(text: string, path: string, context: ScanContext): void {
  for (const { tag, meant, offset } of inTime(yamlTags(text), context, () => context.outOfTime(path, 'unknown'))) {
    const [, kind, name = ''] = PYTHON_TAG.exec(meant) ?? [];
    if (kind === undefined) continue;
    const judged = judgeName(...splitPath(name));
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
  const handles = new Map([['!!', new Set(['tag:yaml.org,2002:'])]]);
  for (const [, handle, prefix] of text.matchAll(/(?:^|\x85)%TAG[ \t]+(\S+)[ \t]+(\S+)/gm))
    handles.set(handle!, (handles.get(handle!) ?? new Set()).add(prefix!));
  for (const match of text.matchAll(/!<([^>\s]+)>?|(!(?:[\w-]*!)?)([^\s,[\]{}'"<!]+)/g)) {
    const [tag, verbatim, handle = '', suffix = ''] = match;
    // each document has handles of its own: all of them are tried
    for (const prefix of handles.get(handle) ?? [handle]) yield { tag, meant: unescaped(verbatim ?? prefix + suffix), offset: match.index };
  }
}

const unescaped = (uri: string): string =>
  uri.replace(/%([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
