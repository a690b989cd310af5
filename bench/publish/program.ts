import { S3Client } from '@aws-sdk/client-s3';
import { publish, publishFiles } from '../../lib/model/publish';

/** One publish in a process of its own: `url archive|files directory cache`. */
const [endpoint, way, directory, cacheDirectory] = process.argv.slice(2) as [string, 'archive' | 'files', string, string];
const client = new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'x', secretAccessKey: 'x' } });
const options = { client, bucket: 'models', cacheDirectory };
(way === 'files' ? publishFiles(directory, options) : publish(directory, options)).then(
  () => client.destroy(),
  (error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
