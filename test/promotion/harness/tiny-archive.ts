import { gzipSync } from 'node:zlib';

/** The smallest model archive: a tar of one file. */
export function tinyArchive(content: string): Buffer {
  const header = Buffer.alloc(512);
  header.write('model.onnx', 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0ustar\x0000', 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const data = Buffer.alloc(512);
  data.write(content);
  return gzipSync(Buffer.concat([header, data, Buffer.alloc(1024)]));
}
