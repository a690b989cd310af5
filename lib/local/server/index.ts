/** One HTTP server on 127.0.0.1 for every service, found by path, target and signature. */
export * from './cbor-service';
export * from './dispatch';
export * from './in-process';
export * from './json-service';
export * from './listener';
export * from './request-id';
export * from './service';
