import { createServer } from 'node:net';

/**
 * A server that reads no HTTP and asks no model: each request gets the same answer, as long as a real one. What remains is what a request costs any server in Node: the
 * socket's calls and the event loop around them.
 */

const BODY = '{"predictions":[{"label":0,"probability":0.06323391199111938}]}';
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;
/** What a body of JSON ends with: a request's head and its body may arrive apart. */
const BRACE = '}'.charCodeAt(0);

createServer({ noDelay: true }, (socket) => {
  socket.on('data', (bytes) => {
    if (bytes[bytes.length - 1] === BRACE) socket.write(ANSWER, 'latin1');
  });
  socket.on('error', () => socket.destroy());
}).listen(Number(process.argv[2]), '127.0.0.1');
