import { Terminal } from '../../lib/cli/terminal';

/** A stream that shows what a person would see: readline's sequences for going up, to the first column, and for clearing a line. */
function screen(isTTY: boolean): { stream: NodeJS.WriteStream; shown: () => string } {
  const lines = [''];
  let row = 0;
  const write = (text: string): boolean => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: terminals are spoken to in these
    for (const [part] of text.matchAll(/\x1b\[(\d*)([A-Z])|\n|[^\x1b\n]+/g)) {
      if (part === '\x1b[1A') row -= 1;
      else if (part === '\x1b[2K') lines[row] = '';
      else if (part === '\n') {
        row += 1;
        lines[row] ??= '';
      } else if (!part.startsWith('\x1b')) lines[row] += part;
    }
    return true;
  };
  return { stream: { isTTY, columns: 20, write } as unknown as NodeJS.WriteStream, shown: () => lines.join('\n') };
}

describe('what is going on right now', () => {
  test('is written over, line by line, and stays below what is said', () => {
    const { stream, shown } = screen(true);
    const terminal = new Terminal(false, stream);
    terminal.say('begun');
    terminal.now('live 10/s', 'evidence 1');
    terminal.now('live 20/s', 'evidence 2 of 80, which is cut');
    expect(shown()).toBe('begun\nlive 20/s\nevidence 2 of 80, w');
    terminal.say('judged');
    expect(shown()).toBe('begun\njudged\nlive 20/s\nevidence 2 of 80, w');
    terminal.now();
    terminal.say('promoted');
    expect(shown().trimEnd()).toBe('begun\njudged\npromoted');
  });

  test('is not shown where nothing can be written over', () => {
    const { stream, shown } = screen(false);
    const terminal = new Terminal(false, stream);
    terminal.now('live 10/s');
    terminal.say('promoted');
    expect(shown()).toBe('promoted\n');
  });
});
