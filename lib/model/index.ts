/** A directory becomes a checked, content-addressed archive. */
export * from './archive';
export {
  type ContentDigest,
  type ContentDigestOptions,
  contentDigest,
  directorySize,
  type ManifestEntry,
  manifestText,
  readDigest,
} from './digest';
export * from './inspect';
export { ModelError } from './model-error';
export * from './provenance';
export * from './scan';
