import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Where a custom resource's function sends its answer. */
export interface AnswerAddress {
  readonly url: string;
  /** What came, each with the content type that it came as. */
  readonly answers: Record<string, unknown>[];
  /** Tries that are to fail from now on. */
  failures: number;
  close(): Promise<void>;
}

/** CloudFormation's API where it says one stack's status, and nothing else. */
export async function stackOf(status: string): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((_, response) => {
    const stack = `<StackName>Shop</StackName><CreationTime>2026-01-01T00:00:00Z</CreationTime><StackStatus>${status}</StackStatus>`;
    const result = `<DescribeStacksResult><Stacks><member>${stack}</member></Stacks></DescribeStacksResult>`;
    response.setHeader('content-type', 'text/xml');
    response.end(`<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">${result}</DescribeStacksResponse>`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, close: () => server.close() };
}

/** What CloudFormation is to a custom resource's function: an address that takes its answer. */
export async function answerAddress(): Promise<AnswerAddress> {
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (address.failures-- > 0) response.writeHead(503).end();
    else {
      address.answers.push({ ...JSON.parse(text), type: request.headers['content-type'] });
      response.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address: AnswerAddress = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    answers: [],
    failures: 0,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return address;
}
