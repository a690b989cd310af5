/** A model that streams in from a store is looked into as one on disk is: its digest, and what a scan finds. */
export { type ReceivedArchive, receiveArchive } from './receive-archive';
export { receiveFile } from './receive-file';
export { roomFor, tooLarge } from './room';
