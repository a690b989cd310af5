import { clearLine, cursorTo, moveCursor } from 'node:readline';

/** How a command speaks: lines for people on standard output, one JSON document for machines instead, and lines that are written over on a terminal. */
export class Terminal {
  private live: readonly string[] = [];

  constructor(
    private readonly json: boolean,
    private readonly out: NodeJS.WriteStream = process.stdout,
    private readonly errors: NodeJS.WriteStream = process.stderr,
  ) {}

  /** A line that stays. Goes to standard error where standard output is kept for JSON. */
  say(line = ''): void {
    this.wipe();
    (this.json ? this.errors : this.out).write(`${line}\n`);
    this.draw();
  }

  /** A line beside the results, on standard error. */
  warn(line: string): void {
    this.wipe();
    this.errors.write(`${line}\n`);
    this.draw();
  }

  /** What is going on right now: lines that are written over; shown on terminals only. */
  now(...lines: string[]): void {
    this.wipe();
    this.live = lines;
    this.draw();
  }

  /** The document of `--json`; nothing for people. */
  result(document: unknown): void {
    this.now();
    if (this.json) this.out.write(`${JSON.stringify(document, null, 2)}\n`);
  }

  /** Dimmed, bold and coloured text where colours show. */
  style(kind: 'dim' | 'bold' | 'good' | 'bad' | 'open', text: string): string {
    const colours = this.target.isTTY && process.env.NO_COLOR === undefined;
    return colours ? `\x1b[${{ dim: 2, bold: 1, good: 32, bad: 31, open: 33 }[kind]}m${text}\x1b[0m` : text;
  }

  /** Whether {@link now} shows. */
  get overwrites(): boolean {
    return this.target.isTTY === true;
  }

  private get target(): NodeJS.WriteStream {
    return this.json ? this.errors : this.out;
  }

  private wipe(): void {
    if (!this.target.isTTY) return;
    for (let i = 0; i < this.live.length; i++) {
      if (i > 0) moveCursor(this.target, 0, -1);
      cursorTo(this.target, 0);
      clearLine(this.target, 0);
    }
  }

  private draw(): void {
    if (!this.target.isTTY) return;
    const width = (this.target.columns ?? 80) - 1;
    this.target.write(this.live.map((line) => line.slice(0, width)).join('\n'));
  }
}

/** Rows under aligned columns; numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const cells = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const numeric = head.map((_, column) => rows.every((row) => /^[-+\d.,]+( ?[%a-zµ/]+)?$/i.test(String(row[column]))));
  return cells.map((row) =>
    row
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join('  ')
      .trimEnd(),
  );
}
