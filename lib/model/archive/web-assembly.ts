/** The part of WebAssembly's JavaScript interface that is used here: TypeScript declares it only for browsers. */

export interface SharedMemory {
  readonly buffer: SharedArrayBuffer;
}

interface WebAssemblyInterface {
  /** Sizes in pages of 64 KiB. */
  readonly Memory: new (descriptor: {
    initial: number;
    maximum: number;
    shared: true;
  }) => SharedMemory;
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

export const { Memory, Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface }).WebAssembly;
