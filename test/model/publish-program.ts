import { S3Client } from '@aws-sdk/client-s3';
import { publish } from '../../lib/model/publish';

/** A publish in a process of its own, to be killed: `endpoint directory`. */
const [endpoint, directory, cacheDirectory] = process.argv.slice(2) as [string, string, string];
const client = new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
publish(directory, { client, bucket: 'models', partSize: 5 * 2 ** 20, concurrency: 1, workers: 1, cacheDirectory });
