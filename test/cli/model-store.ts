import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { type LocalSageMaker, startLocal } from '../../lib/local';

/** A SageMaker on this machine with the bucket `store`, which commands find by the environment. */
export interface ModelStore {
  readonly local: LocalSageMaker;
  readonly s3: S3Client;
  close(): Promise<void>;
}

/** @param folder for what commands remember */
export async function modelStore(folder: string): Promise<ModelStore> {
  const environment = { ...process.env };
  const local = await startLocal({ port: 0 });
  Object.assign(process.env, local.environment(), { XDG_CACHE_HOME: join(folder, 'cache') });
  const s3 = new S3Client({});
  await s3.send(new CreateBucketCommand({ Bucket: 'store' }));
  const close = async () => {
    s3.destroy();
    await local.close();
    process.env = environment;
  };
  return { local, s3, close };
}
