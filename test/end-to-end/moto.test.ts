import { startLocal } from '../../lib/local';
import { cloudwatch } from './moto/cloudwatch';
import { compare, type Difference } from './moto/compare';
import { KNOWN_DIFFERENCES, type KnownDifference } from './moto/known-differences';
import { Moto } from './moto/moto';
import { sagemaker } from './moto/sagemaker';
import { scaling } from './moto/scaling';
import { ACCOUNT, type Call, Clients, REGION } from './moto/scenario';

let moto: Moto;
const seen = new Set<KnownDifference>();

beforeAll(async () => {
  moto = await Moto.start();
}, 300_000);

afterAll(() => moto.stop());

/** Both servers' answers to the same calls, compared; what is known to differ is noted and left out. */
async function differences(scenario: string, calls: readonly Call[]): Promise<object[]> {
  await moto.reset();
  const local = await startLocal({
    account: ACCOUNT,
    region: REGION,
    openModel: async () => ({
      invoke: async () => ({ status: 200, contentType: 'text/csv', body: Buffer.from('0') }),
      ping: async () => true,
      restarts: 0,
      close: async () => {},
    }),
    timings: { start: 0.01, shift: 0.01, terminate: 0.01 },
  });
  const [ours, theirs] = [new Clients(local.url), new Clients(moto.url)];
  try {
    const [mine, others] = [await ours.answers(calls), await theirs.answers(calls)];
    return calls.flatMap(([operation, input], i) =>
      compare(mine[i], others[i])
        .filter((difference) => !isKnown(scenario, operation, difference))
        .map((difference) => ({ operation, input, ...difference })),
    );
  } finally {
    ours.close();
    theirs.close();
    await local.close();
  }
}

function isKnown(scenario: string, operation: string, { at }: Difference): boolean {
  const known = KNOWN_DIFFERENCES.find(
    (one) => one.operations.includes(operation) && one.at.includes(at) && (one.in?.includes(scenario) ?? true),
  );
  if (known) seen.add(known);
  return known !== undefined;
}

describe.each([
  ['SageMaker', sagemaker],
  ['CloudWatch', cloudwatch],
  ['Application Auto Scaling', scaling],
])('%s: moto and the local SageMaker answer alike', (_, scenarios) => {
  test.each(Object.entries(scenarios))(
    '%s',
    async (scenario, calls) => {
      expect(await differences(scenario, calls)).toEqual([]);
    },
    30_000,
  );
});

test('every known difference is still one', () => {
  expect(KNOWN_DIFFERENCES.filter((known) => !seen.has(known))).toEqual([]);
});
