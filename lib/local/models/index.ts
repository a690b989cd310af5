/** Models' data, from S3 or this machine's files, as directories that an engine opens. */
export * from './model-files';
export * from './place';
