/** What AWS's service models say of requests and answers: constraints checked in AWS's words. */
export * from './model';
export * from './read';
export * from './write';
