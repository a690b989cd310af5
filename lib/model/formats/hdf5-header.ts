import { FractalHeap, treeRecords } from './hdf5-heap';
import type { Hdf5Space } from './hdf5-space';

export interface Message {
  readonly type: number;
  /** It stands elsewhere, and the body says where. */
  readonly isShared: boolean;
  readonly body: Buffer;
}

const CONTINUATION = 0x10;
const MOST_MESSAGES = 10_000;

/** The header messages of an object, continuation blocks included. @throws Error at more than 10,000 */
export function objectMessages(space: Hdf5Space, address: number): Message[] {
  const head = space.at(address, 16);
  const isNew = head.toString('latin1', 0, 4) === 'OHDR';
  if (!isNew && head[0] !== 1) throw new Error(`an object header of version ${head[0]} at byte ${address}`);
  const flags = isNew ? head[5]! : 0;
  const first: [number, number] = isNew ? newStart(space, address, flags) : [address + 16, head.readUInt32LE(8)];
  const messages: Message[] = [];
  const blocks = [first];
  for (let block = blocks.shift(); block !== undefined; block = blocks.shift()) {
    const data = space.at(...block);
    const headerLength = isNew ? (flags & 4 ? 6 : 4) : 8;
    for (let at = 0; at + headerLength <= data.length; ) {
      const type = isNew ? data[at]! : data.readUInt16LE(at);
      const length = data.readUInt16LE(isNew ? at + 1 : at + 2);
      const isShared = (data[isNew ? at + 3 : at + 4]! & 2) !== 0;
      const body = data.subarray(at + headerLength, at + headerLength + length);
      at += headerLength + length;
      if (messages.length + blocks.length >= MOST_MESSAGES) throw new Error(`an object of more than ${MOST_MESSAGES} messages`);
      if (type !== CONTINUATION) messages.push({ type, isShared, body });
      else if (isNew) blocks.push([space.needed(body, 0) + 4, space.size(body, space.offsetSize) - 8]);
      else blocks.push([space.needed(body, 0), space.size(body, space.offsetSize)]);
    }
  }
  return messages;
}

/** Behind times and limits of attributes, where flags say that they are there. */
function newStart(space: Hdf5Space, address: number, flags: number): [start: number, length: number] {
  const at = address + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
  const width = 2 ** (flags & 3);
  return [at + width, space.uint(space.at(at, width), 0, width)];
}

/** What an attribute info (0x15) or a link info (0x02) message says is kept outside of the header: bodies of messages. */
export function denseMessages(space: Hdf5Space, info: Message): Message[] {
  const isAttribute = info.type === 0x15;
  const at = 2 + (info.body[1]! & 1 ? (isAttribute ? 2 : 8) : 0);
  const heapAddress = space.address(info.body, at);
  if (heapAddress === undefined) return [];
  const heap = new FractalHeap(space, heapAddress);
  return treeRecords(space, space.needed(info.body, at + space.offsetSize)).map((record) => ({
    type: isAttribute ? 0x0c : 0x06,
    isShared: isAttribute && (record[8]! & 2) !== 0,
    body: heap.object(isAttribute ? record.subarray(0, 8) : record.subarray(4, 11)),
  }));
}
