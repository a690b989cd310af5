const compiled = new Map<string, RegExp>();

/** The regular expression of a service model (Java's dialect), which must match the whole value. */
export function wholePattern(pattern: string): RegExp {
  let expression = compiled.get(pattern);
  if (expression === undefined) {
    const translated = pattern
      .replaceAll('\\A', '^')
      .replaceAll('\\z', '$')
      .replace(/\\p\{Print\}/g, (_, at: number, whole: string) => (inClass(whole, at) ? '\\x20-\\x7e' : '[\\x20-\\x7e]'))
      .replaceAll('\\p{ASCII}', '[\\x00-\\x7f]')
      // Some tag patterns quantify the end of the text; their lengths are constrained beside the pattern.
      .replace(/\$\{\d+,\d+\}/g, '');
    // Without the flag, odd escapes such as `\-` pass as Java lets them; with it, code points beyond 16 bits are one character.
    expression = new RegExp(`^(?:${translated})$`, /\\p\{|\\uD/i.test(translated) ? 'su' : 's');
    compiled.set(pattern, expression);
  }
  return expression;
}

/** Whether a place of the pattern is between brackets. */
function inClass(pattern: string, at: number): boolean {
  const before = pattern.slice(0, at);
  return before.lastIndexOf('[') > before.lastIndexOf(']');
}
