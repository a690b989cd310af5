// A model's server for tests: answers a row by the row itself, and writes every request's body to the file in BODIES.
const { appendFileSync } = require('node:fs');
const { createServer } = require('node:http');

createServer(async (request, response) => {
  if (request.url === '/ping') return response.end();
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts).toString();
  appendFileSync(process.env.BODIES, `${JSON.stringify(body)}\n`);
  const { status = 200, type = 'text/csv', answer = body } = body.startsWith('{') ? JSON.parse(body).instances[0] : {};
  response.writeHead(status, { 'Content-Type': type }).end(answer);
}).listen(Number(process.env.SAGEMAKER_BIND_TO_PORT), '127.0.0.1');
