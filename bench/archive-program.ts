import { type ArchiveMode, archive } from '../lib/model/archive';

/** One archive in a process of its own, so that its memory and processor time can be told apart: `directory mode output`. */
const [directory, mode, output] = process.argv.slice(2) as [string, ArchiveMode, string];
archive(directory, { mode, output, cacheDirectory: `${output}/cache` });
