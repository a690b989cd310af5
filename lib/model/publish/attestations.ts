import { GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { type Attestation, attestationKey } from '../provenance';
import { statusOf } from './publish-error';
import { type BucketOptions, StoreCalls } from './store-calls';

/** Puts an attestation beside the model data that it is about, in place of an earlier one. @returns its URI @throws PublishError */
export async function storeAttestation(attestation: Attestation, dataKey: string, options: BucketOptions): Promise<string> {
  const calls = new StoreCalls(options);
  const key = attestationKey(dataKey);
  const Body = `${JSON.stringify(attestation)}\n`;
  await calls.call('sending the attestation', key, (abortSignal) =>
    calls.client.send(new PutObjectCommand({ ...calls.common, ...calls.encryption, Key: key, Body, ContentType: 'application/json' }), {
      abortSignal,
    }),
  );
  return calls.uri(key);
}

/** The attestation beside some model data, as it was parsed; undefined where there is none. @throws PublishError; SyntaxError */
export async function storedAttestation(dataKey: string, options: BucketOptions): Promise<unknown> {
  const calls = new StoreCalls(options);
  const key = attestationKey(dataKey);
  try {
    const text = await calls.call('reading the attestation', key, async (abortSignal) => {
      const { Body } = await calls.client.send(new GetObjectCommand({ ...calls.common, Key: key }), { abortSignal });
      return Body!.transformToString();
    });
    return JSON.parse(text);
  } catch (error) {
    if (statusOf((error as Error).cause ?? error) === 404) return undefined;
    throw error;
  }
}
