import { type ArchiveMode, archive } from '../lib/model/archive';

/** One archive in a process of its own, so that its memory and processor time can be told apart: `directory mode output [scanned]`. */
const [directory, mode, output, scanned] = process.argv.slice(2) as [string, ArchiveMode, string, string?];
archive(directory, { mode, output, cacheDirectory: `${output}/cache`, scan: scanned !== undefined });
