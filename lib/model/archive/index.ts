/** A model directory becomes one `.tar.gz`, named by its content and equal to the byte wherever it is made. */
export { type ArchiveOptions, type ArchiveProgress, type ArchiveResult, type ArchiveSyncOptions, archive, archiveSync } from './archive';
export { type ArchiveContent, type ArchiveDigestOptions, archiveDigest, archiveDigestSync, readArchiveStream } from './archive-digest';
export { modeForUplink } from './archive-mode';
export type { ArchiveMode } from './choose-method';
