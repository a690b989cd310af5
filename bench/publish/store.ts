import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { LocalClock } from '../../lib/local/clock';
import { Faults } from '../../lib/local/faults';
import { Dispatch, Listener } from '../../lib/local/server';
import { DirectoryObjects } from '../../lib/local/storage/directory-objects';
import { S3Service } from '../../lib/local/storage/s3/s3-service';

/** A local S3 in a process of its own, behind a port that counts what is sent to it. Tells its URL; answers each message with the count. */
async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-store-'));
  const clock = new LocalClock();
  const store = await Listener.open(
    new Dispatch([new S3Service({ clock }, await DirectoryObjects.open(folder))], new Faults([], 1), clock),
    0,
  );
  const client = new S3Client({ endpoint: store.url, region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
  await client.send(new CreateBucketCommand({ Bucket: 'models' }));
  client.destroy();

  let received = 0;
  const port = Number(new URL(store.url).port);
  const counting = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    from.on('data', (bytes) => {
      received += bytes.length;
    });
    from.pipe(to).pipe(from);
    for (const socket of [from, to]) socket.on('error', () => [from.destroy(), to.destroy()]);
  });
  counting.listen(0, '127.0.0.1', () => process.send!({ url: `http://127.0.0.1:${(counting.address() as AddressInfo).port}` }));
  process.on('message', () => process.send!({ received }));
  process.on('disconnect', () => {
    rmSync(folder, { recursive: true, force: true });
    process.exit();
  });
}

main();
