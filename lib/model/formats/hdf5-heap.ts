import { type Hdf5Space, widthOf } from './hdf5-space';

/** Objects of a fractal heap: what HDF5 keeps many attributes or links of one object in (its format specification, III.G). */
export class FractalHeap {
  private readonly head: Buffer;
  private readonly offsetWidth: number;
  private readonly lengthWidth: number;
  private index: Map<number, Buffer> | undefined;

  constructor(
    private readonly space: Hdf5Space,
    address: number,
  ) {
    const { offsetSize, lengthSize } = space;
    this.head = space.at(address, 22 + 12 * lengthSize + 3 * offsetSize);
    if (this.head.toString('latin1', 0, 4) !== 'FRHP') throw new Error(`no fractal heap at byte ${address}`);
    if (this.head.readUInt16LE(7) !== 0) throw new Error('a fractal heap that is compressed');
    this.offsetWidth = Math.ceil(this.table.bits / 8);
    this.lengthWidth = Math.min(Math.ceil(Math.log2(this.table.largest) / 8), widthOf(this.head.readUInt32LE(10)));
  }

  /** How its blocks are laid out: powers of two, so many in a row. */
  private get table() {
    const { offsetSize, lengthSize } = this.space;
    const at = 14 + 10 * lengthSize + 2 * offsetSize;
    return {
      width: this.head.readUInt16LE(at),
      smallest: this.space.size(this.head, at + 2),
      largest: this.space.size(this.head, at + 2 + lengthSize),
      bits: this.head.readUInt16LE(at + 2 + 2 * lengthSize),
      root: this.space.address(this.head, at + 6 + 2 * lengthSize),
      rows: this.head.readUInt16LE(at + 6 + 2 * lengthSize + offsetSize),
    };
  }

  /** The object that an index's entry names. */
  object(id: Buffer): Buffer {
    const kind = (id[0]! >> 4) & 3;
    if (kind === 0) return this.managed(id);
    if (kind === 1) return this.huge(id);
    return id.subarray(1, 1 + (id[0]! & 15) + 1);
  }

  private managed(id: Buffer): Buffer {
    const offset = this.space.uint(id, 1, this.offsetWidth);
    const length = this.space.uint(id, 1 + this.offsetWidth, this.lengthWidth);
    const { root, rows } = this.table;
    if (root === undefined) throw new Error('a fractal heap that is empty');
    const place = rows === 0 ? { block: root, start: 0 } : this.block(root, rows, 0, offset, 0);
    return this.space.at(place.block + offset - place.start, length);
  }

  /** The direct block in which an offset of the heap lies, and the offset that it begins with. */
  private block(address: number, rows: number, start: number, wanted: number, depth: number): { block: number; start: number } {
    if (depth > 64) throw new Error('a fractal heap nests too deep');
    const { width, smallest, largest } = this.table;
    const { offsetSize } = this.space;
    let from = start;
    let entry = address + 5 + offsetSize + this.offsetWidth;
    for (let row = 0; row < rows; row++) {
      const size = smallest * 2 ** Math.max(0, row - 1);
      const column = Math.floor((wanted - from) / size);
      if (column < width) {
        const child = this.space.needed(this.space.at(entry + column * offsetSize, offsetSize), 0);
        const begins = from + column * size;
        if (size <= largest) return { block: child, start: begins };
        return this.block(child, Math.log2(size) - Math.log2(smallest * width) + 1, begins, wanted, depth + 1);
      }
      from += width * size;
      entry += width * offsetSize;
    }
    throw new Error(`a fractal heap ends before its byte ${wanted}`);
  }

  /** An object by itself, as too large for a block: where it stands is in the entry, or in an index of such objects. */
  private huge(id: Buffer): Buffer {
    const { space } = this;
    const { offsetSize, lengthSize } = space;
    if (offsetSize + lengthSize <= id.length - 1) return space.at(space.needed(id, 1), space.size(id, 1 + offsetSize));
    const key = space.uint(id, 1, Math.min(8, id.length - 1));
    this.index ??= new Map(
      treeRecords(space, space.needed(this.head, 14 + lengthSize)).map((record) => [space.size(record, offsetSize + lengthSize), record]),
    );
    const record = this.index.get(key);
    if (record === undefined) throw new Error(`no object ${key} in a fractal heap`);
    return space.at(space.needed(record, 0), space.size(record, offsetSize));
  }
}

const MOST_RECORDS = 100_000;

/** The records of a B-tree of version 2 (III.A.2), in order. @throws Error at more than 100,000 */
export function treeRecords(space: Hdf5Space, address: number): Buffer[] {
  const head = space.at(address, 16 + space.offsetSize + 2);
  if (head.toString('latin1', 0, 4) !== 'BTHD') throw new Error(`no B-tree at byte ${address}`);
  const nodeSize = head.readUInt32LE(6);
  const recordSize = head.readUInt16LE(10);
  const depth = head.readUInt16LE(12);
  const root = space.address(head, 16);
  if (root === undefined) return [];
  if (recordSize === 0 || depth > 16) throw new Error('a B-tree that cannot be');
  const records: Buffer[] = [];
  const levels = levelsOf(space, nodeSize, recordSize, depth);
  const walk = (node: number, count: number, level: number): void => {
    const { pointer, countWidth } = levels[level]!;
    const children = level === 0 ? 0 : count + 1;
    const body = space.at(node, 6 + count * recordSize + children * pointer);
    if (body.toString('latin1', 0, 4) !== (level === 0 ? 'BTLF' : 'BTIN')) throw new Error(`no B-tree node at byte ${node}`);
    if (records.length + count > MOST_RECORDS) throw new Error(`a B-tree of more than ${MOST_RECORDS} records`);
    for (let i = 0; i < count; i++) records.push(body.subarray(6 + i * recordSize, 6 + (i + 1) * recordSize));
    for (let i = 0; i < children; i++) {
      const at = 6 + count * recordSize + i * pointer;
      walk(space.needed(body, at), space.uint(body, at + space.offsetSize, countWidth), level - 1);
    }
  };
  walk(root, head.readUInt16LE(16 + space.offsetSize), depth);
  return records;
}

/** How wide a pointer to a child is, and the count of the child's records in it, by how high its node stands. */
function levelsOf(space: Hdf5Space, nodeSize: number, recordSize: number, depth: number): { pointer: number; countWidth: number }[] {
  const levels = [{ pointer: 0, countWidth: 0 }];
  const leaf = Math.floor((nodeSize - 10) / recordSize);
  const countWidth = widthOf(leaf);
  let below = leaf;
  for (let level = 1; level <= depth; level++) {
    const pointer = space.offsetSize + countWidth + (level === 1 ? 0 : widthOf(below));
    const most = Math.floor((nodeSize - 10 - pointer) / (recordSize + pointer));
    below = (most + 1) * below + most;
    levels.push({ pointer, countWidth });
  }
  return levels;
}
