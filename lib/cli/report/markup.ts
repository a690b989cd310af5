/** Text that is already HTML. */
export class Markup {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

type Piece = Markup | string | number | null | undefined | readonly Piece[];

/** HTML from a template: whatever is put in is escaped, unless it is itself markup; nothing stands for null and undefined. */
export function html(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(parts.map((part, i) => (i === 0 ? part : written(pieces[i - 1]) + part)).join(''));
}

function written(piece: Piece): string {
  if (piece === null || piece === undefined) return '';
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === 'object') return piece.map(written).join('');
  return escaped(String(piece));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function escaped(text: string): string {
  // Control characters have no place in HTML, not even as entities.
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]).replace(/[^\P{Cc}\t\n]/gu, '\uFFFD');
}

/** JSON for a script element: nothing in it can end the element. */
export function json(data: unknown): Markup {
  return new Markup(JSON.stringify(data).replace(/[<>&\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`));
}
