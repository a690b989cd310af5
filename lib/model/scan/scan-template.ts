import { stringEnd } from '../formats/python-json';
import { inTime } from './in-time';
import type { ScanContext } from './scan-context';

/** Ways from a template's values to the interpreter that renders it. */
const TEMPLATE_HARM =
  /__\w+__|\|\s*attr\b|\battr\s*\(|\\x5f|\\u005f|\\137|\b(lipsum|cycler|joiner|self|request|get_flashed_messages|url_for)\s*[.[|]|\b(popen|subprocess|os\.system|builtins|globals)\b|_TemplateReference__|\{%-?\s*(include|import|from|extends)\b|['"]__\w*['"]\s*[~+]|[~+]\s*['"]\w*__['"]|['"]_{1,2}['"]\s*[~*+]/;

/** Scans a Jinja template, such as a tokenizer's chat template: it is rendered by the server for each request. */
export function scanTemplate(template: string, path: string, context: ScanContext): void {
  for (const block of inTime(blocks(template), context, () => context.outOfTime(path, 'unknown'))) {
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

/** Where templates' blocks end, by how they begin. */
const ENDS: Readonly<Record<string, string>> = { '{{': '}}', '{%': '%}' };

/** Where one of a block's strings begins, or it ends. */
const MARKS: Readonly<Record<string, RegExp>> = { '}}': /["']|\}\}/g, '%}': /["']|%\}/g };

/** What stands between `{{` and `}}`, and between `{%` and `%}`. */
function* blocks(template: string): Generator<string> {
  const opening = /\{[{%]/g;
  for (let open = opening.exec(template); open !== null; open = opening.exec(template)) {
    const end = ENDS[open[0]]!;
    const first = template.indexOf(end, opening.lastIndex);
    if (first < 0) {
      opening.lastIndex = open.index + 1;
      if (template.indexOf(end === '}}' ? '%}' : '}}', open.index) < 0) return;
      continue;
    }
    const close = closing(template, opening.lastIndex, end);
    yield template.slice(open.index, close);
    opening.lastIndex = close;
  }
}

/** Behind the end of a block that is in none of its strings; the end of the template where all of them are. */
function closing(template: string, from: number, end: string): number {
  const marks = MARKS[end]!;
  marks.lastIndex = from;
  for (let mark = marks.exec(template); mark !== null; mark = marks.exec(template)) {
    if (mark[0] === end) return marks.lastIndex;
    marks.lastIndex = stringEnd(template, marks.lastIndex, mark[0]);
  }
  return template.length;
}
