/** A table of a FlatBuffer, read in place. Fields are counted from 0 in the order of the schema. */
export class Table {
  private readonly vtable: number;

  constructor(
    private readonly buffer: Buffer,
    private readonly at: number,
  ) {
    this.vtable = at - buffer.readInt32LE(at);
  }

  /** The table that the buffer's first four bytes point to. @throws RangeError when the bytes are no FlatBuffer */
  static root(buffer: Buffer, at = 0): Table {
    return new Table(buffer, at + buffer.readUInt32LE(at));
  }

  int(field: number, fallback = 0): number {
    const at = this.place(field);
    return at === undefined ? fallback : this.buffer.readInt32LE(at);
  }

  byte(field: number, fallback = 0): number {
    const at = this.place(field);
    return at === undefined ? fallback : this.buffer.readInt8(at);
  }

  text(field: number): string {
    const at = this.target(field);
    return at === undefined ? '' : this.textAt(at);
  }

  table(field: number): Table | undefined {
    const at = this.target(field);
    return at === undefined ? undefined : new Table(this.buffer, at);
  }

  /** Number of elements of a vector. */
  length(field: number): number {
    const at = this.target(field);
    return at === undefined ? 0 : this.buffer.readUInt32LE(at);
  }

  tables(field: number): Table[] {
    return this.offsets(field).map((at) => new Table(this.buffer, at));
  }

  texts(field: number): string[] {
    return this.offsets(field).map((at) => this.textAt(at));
  }

  ints(field: number): number[] {
    const at = this.target(field);
    return at === undefined ? [] : Array.from({ length: this.count(at, 4) }, (_, i) => this.buffer.readInt32LE(at + 4 + 4 * i));
  }

  private offsets(field: number): number[] {
    const at = this.target(field);
    if (at === undefined) return [];
    return Array.from({ length: this.count(at, 4) }, (_, i) => at + 4 + 4 * i + this.buffer.readUInt32LE(at + 4 + 4 * i));
  }

  private textAt(at: number): string {
    return this.buffer.toString('utf8', at + 4, at + 4 + this.count(at, 1));
  }

  private count(at: number, width: number): number {
    const count = this.buffer.readUInt32LE(at);
    if (at + 4 + count * width > this.buffer.length) throw new RangeError(`a vector of ${count} elements at byte ${at} leaves the buffer`);
    return count;
  }

  private place(field: number): number | undefined {
    const slot = 4 + 2 * field;
    if (slot >= this.buffer.readUInt16LE(this.vtable)) return undefined;
    const offset = this.buffer.readUInt16LE(this.vtable + slot);
    return offset === 0 ? undefined : this.at + offset;
  }

  private target(field: number): number | undefined {
    const at = this.place(field);
    return at === undefined ? undefined : at + this.buffer.readUInt32LE(at);
  }
}
