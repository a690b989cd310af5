/** What a model's files are: a manifest, and a digest that only a change of content changes. */
export { type ContentDigestOptions, contentDigest, now, rememberDigest, rememberedDigest } from './content-digest';
export { type ContentDigest, digestOf, EMPTY_SHA256, type ManifestEntry, manifestText, readManifest } from './manifest';
export { type ReadDigestOptions, readDigest } from './read-digest';
export { defaultCacheDirectory, StatCache } from './stat-cache';
export {
  changedWhileReading,
  directorySize,
  type FileStat,
  fileStat,
  isJunk,
  listTree,
  readError,
  sameStat,
  sortByPath,
  type TreeEntry,
} from './tree';
