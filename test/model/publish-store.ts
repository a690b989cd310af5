import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { LocalClock } from '../../lib/local/clock';
import { type FaultRule, Faults } from '../../lib/local/faults';
import { Dispatch, Listener } from '../../lib/local/server';
import { DirectoryObjects } from '../../lib/local/storage/directory-objects';
import { S3Service } from '../../lib/local/storage/s3/s3-service';

/** A model store on loopback, as tests look at it. */
export interface TestStore {
  readonly url: string;
  readonly client: S3Client;
  readonly faults: Faults;
  /** The operations that were asked for since the last call of this. */
  operations(): string[];
  keys(): Promise<string[]>;
  unfinished(): Promise<string[]>;
  bytes(key: string): Promise<Buffer>;
  fault(rule: FaultRule): void;
  close(): Promise<void>;
}

/** How tests publish into it: in parts as small as S3 takes them, trying again at once. */
export const uploadOptions = ({ client }: TestStore, folder: string) => ({
  client,
  bucket: 'models',
  partSize: 5 * 2 ** 20,
  cacheDirectory: join(folder, 'cache'),
  retry: { firstWait: 0.01 },
});

export async function testStore(): Promise<TestStore> {
  const folder = mkdtempSync(join(tmpdir(), 'fledge-store-'));
  const clock = new LocalClock();
  const faults = new Faults([], 1);
  const listener = await Listener.open(new Dispatch([new S3Service({ clock }, await DirectoryObjects.open(folder))], faults, clock), 0);
  const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
  // What is tested is how publishing tries again, not how the SDK does.
  const client = new S3Client({ endpoint: listener.url, region: 'us-east-1', credentials, maxAttempts: 1 });
  await client.send(new CreateBucketCommand({ Bucket: 'models' }));
  let seen: string[] = [];
  faults.observe(({ operation }) => seen.push(operation));
  const unseen = async <T>(look: () => Promise<T>): Promise<T> => {
    const before = seen;
    seen = [];
    try {
      return await look();
    } finally {
      seen = before;
    }
  };
  return {
    url: listener.url,
    client,
    faults,
    operations: () => seen.splice(0),
    keys: () =>
      unseen(async () => {
        const { Contents } = await client.send(new ListObjectsV2Command({ Bucket: 'models' }));
        return (Contents ?? []).map(({ Key }) => Key!);
      }),
    unfinished: () =>
      unseen(async () => {
        const { Uploads } = await client.send(new ListMultipartUploadsCommand({ Bucket: 'models' }));
        return (Uploads ?? []).map(({ Key }) => Key!);
      }),
    bytes: (Key) =>
      unseen(async () => {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: 'models', Key }));
        return Buffer.from(await Body!.transformToByteArray());
      }),
    fault: (rule) => void faults.add(rule),
    close: async () => {
      client.destroy();
      await listener.close();
      clock.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
