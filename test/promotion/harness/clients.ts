import { AsyncLocalStorage } from 'node:async_hooks';
import type { Readable } from 'node:stream';
import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { KMSClient } from '@aws-sdk/client-kms';
import { S3Client } from '@aws-sdk/client-s3';
import { SageMakerClient } from '@aws-sdk/client-sagemaker';
import { SageMakerRuntimeClient } from '@aws-sdk/client-sagemaker-runtime';
import { SNSClient } from '@aws-sdk/client-sns';
import { ConfiguredRetryStrategy } from '@smithy/core/retry';
import type { Ports } from '../../../lib/promotion';

/** Where the calls of a piece of work go, and whether the process that it belongs to still lives. */
export interface Wire {
  readonly handle: (request: never) => Promise<unknown>;
  readonly alive: () => boolean;
  /** Whether the clients try again by themselves, as a promotion's do on AWS. @default false */
  readonly retries?: boolean;
}

const wires = new AsyncLocalStorage<Wire>();

/** Runs a piece of work, and all that comes of it, on a wire. */
export const onWire = <T>(wire: Wire, work: () => T): T => wires.run(wire, work);

const requestHandler = {
  metadata: { handlerProtocol: 'http/1.1' },
  handle(request: never): Promise<unknown> {
    const wire = wires.getStore()!;
    return wire.alive() ? wire.handle(request) : new Promise(() => undefined);
  },
  updateHttpClientConfig() {},
  httpHandlerConfigs: () => ({}),
  destroy() {},
};

/** Bodies come whole: nothing is to be waited for. */
const streamCollector = async (stream: Readable): Promise<Uint8Array> => {
  const parts: Buffer[] = [];
  for (let part = stream.read() as Buffer | null; part !== null; part = stream.read() as Buffer | null) parts.push(part);
  return Buffer.concat(parts);
};

/** Without `info` and `debug`, what the clients would log is not made. */
const logger = { warn() {}, error() {} };

/** As often as on AWS, and at once: the clock would stand still meanwhile. */
const retryStrategy = new ConfiguredRetryStrategy(async () => (wires.getStore()?.retries ? 5 : 1), 0);

/** Options of a client. Signing each call is not what is looked at here: a signature that only names its service does. */
const options = (service: string) => ({
  requestHandler: requestHandler as never,
  region: 'us-east-1',
  endpoint: 'http://127.0.0.1:1',
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
  signer: {
    async sign(request: { headers: Record<string, string> }) {
      request.headers.authorization = `AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/${service}/aws4_request`;
      return request;
    },
  } as never,
  streamCollector: streamCollector as never,
  logger: logger as never,
  retryStrategy,
  useFipsEndpoint: false,
  useDualstackEndpoint: false,
});

/** The real SDK clients, made once: what they ask goes over the wire of whoever asks. */
export const clients: Omit<Ports, 'now'> = {
  sagemaker: new SageMakerClient(options('sagemaker')),
  runtime: new SageMakerRuntimeClient(options('sagemaker')),
  cloudwatch: new CloudWatchClient(options('monitoring')),
  kms: new KMSClient(options('kms')),
  scaling: new ApplicationAutoScalingClient(options('application-autoscaling')),
  s3: new S3Client({ ...options('s3'), requestChecksumCalculation: 'WHEN_REQUIRED', responseChecksumValidation: 'WHEN_REQUIRED' }),
  sns: new SNSClient(options('sns')),
};
