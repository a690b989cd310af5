import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import loadWabt from 'wabt';

/** Builds lib/model/archive/huffman-wasm.ts from the text beside it: `npm run build:wasm`. */

const folder = join(__dirname, '../../lib/model/archive');

/** What huffman-wasm.ts must say. */
export async function huffmanWasmModule(): Promise<string> {
  const wabt = await loadWabt();
  const features = { threads: true, bulk_memory: true };
  const parsed = wabt.parseWat('huffman.wat', readFileSync(join(folder, 'huffman.wat')), features);
  const { buffer } = parsed.toBinary({});
  const lines =
    Buffer.from(buffer)
      .toString('base64')
      .match(/.{1,120}/g) ?? [];
  const text = lines.map((line) => `  '${line}',`).join('\n');
  return `/** huffman.wat as built by \`npm run build:wasm\`: ${buffer.length} bytes. Do not edit. */
export const HUFFMAN_WASM = Buffer.from(
  [
${text.replace(/^/gm, '  ')}
  ].join(''),
  'base64',
);
`;
}

if (require.main === module) {
  huffmanWasmModule().then((text) => writeFileSync(join(folder, 'huffman-wasm.ts'), text));
}
