import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Inspection, inspect } from '../../lib/model/inspect';

const FIXTURES = join(__dirname, 'fixtures');
const fixture = (name: string) => inspect(join(FIXTURES, name));
const fact = ({ facts }: Inspection, name: string) => facts.find((candidate) => candidate.name === name)?.value;

const FEATURES = { name: 'features', type: 'float32', shape: [-1, 4] };

describe('what a model is, from files that the real libraries wrote', () => {
  test.each([
    ['onnx', 'onnx', 'onnx', 'model.onnx', 8],
    ['onnx-external', 'onnx', 'onnx', 'model.onnx', 8],
    ['sklearn-joblib', 'sklearn', 'joblib', 'model.joblib', 92],
    ['sklearn-joblib-zlib', 'sklearn', 'joblib', 'model.joblib', 18],
    ['sklearn-joblib-gzip', 'sklearn', 'joblib', 'model.joblib', 18],
    ['sklearn-joblib-bz2', 'sklearn', 'joblib', 'model.joblib', 18],
    ['sklearn-joblib-xz', 'sklearn', 'joblib', 'model.joblib', 18],
    ['sklearn-joblib-lzma', 'sklearn', 'joblib', 'model.joblib', 18],
    ['sklearn-joblib-lz4', 'sklearn', 'joblib', 'model.joblib', 18],
    ['sklearn-pickle-0', 'sklearn', 'pickle', 'model.pkl', 18],
    ['sklearn-pickle-2', 'sklearn', 'pickle', 'model.pkl', 18],
    ['sklearn-pickle-3', 'sklearn', 'pickle', 'model.pkl', 18],
    ['sklearn-pickle-4', 'sklearn', 'pickle', 'model.pkl', 18],
    ['sklearn-pickle-5', 'sklearn', 'pickle', 'model.pkl', 18],
    ['xgboost-json', 'xgboost', 'xgboost-json', 'xgboost-model.json', 21],
    ['xgboost-ubj', 'xgboost', 'xgboost-ubj', 'xgboost-model.ubj', 21],
    ['xgboost-pickle', 'xgboost', 'pickle', 'xgboost-model', undefined],
    ['lightgbm', 'lightgbm', 'lightgbm-text', 'model.txt', undefined],
    ['catboost', 'catboost', 'catboost-binary', 'model.cbm', 12],
    ['torch-state', 'pytorch', 'torch-zip', 'model.pth', 10],
    ['torch-module', 'pytorch', 'torch-zip', 'model.pt', 10],
    ['torch-legacy', 'pytorch', 'torch-legacy', 'model.pth', 10],
    ['torchscript', 'pytorch', 'torchscript', 'model.pt', 10],
    ['keras-zip', 'keras', 'keras-zip', 'model.keras', 23],
    ['keras-h5', 'keras', 'hdf5', 'model.h5', 23],
    ['keras-2-h5', 'keras', 'hdf5', 'model.h5', 10],
    ['savedmodel', 'tensorflow', 'savedmodel', '1', 23],
    ['tflite', 'tflite', 'tflite', 'model.tflite', 18],
    ['coreml', 'coreml', 'coreml', 'model.mlmodel', undefined],
    ['safetensors', 'safetensors', 'safetensors', 'model.safetensors', 244],
    ['gguf', 'gguf', 'gguf', 'model.gguf', 240],
    ['npy', 'numpy', 'npy', 'weights.npy', 240],
    ['npz', 'numpy', 'npz', 'weights.npz', 300],
    ['mlflow-sklearn', 'sklearn', 'pickle', 'model.pkl', 18],
  ])('%s is %s, written as %s', (name, framework, format, modelFile, parameters) => {
    expect(fixture(name)).toMatchObject({ framework, format, modelFile, ...(parameters === undefined ? {} : { parameters }) });
  });

  test('a format is told by its bytes: the name of the file does not matter', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fledge-test-'));
    copyFileSync(join(FIXTURES, 'onnx/model.onnx'), join(folder, 'weights.pkl'));
    expect(inspect(folder)).toMatchObject({ format: 'onnx', modelFile: 'weights.pkl' });
    rmSync(folder, { recursive: true });
  });

  test('element types are counted', () => {
    expect(fixture('safetensors').dtypes).toEqual({ float16: 240, float32: 4 });
    expect(fixture('npz').dtypes).toEqual({ float64: 240, int64: 60 });
  });
});

describe('the signature that the bytes hold', () => {
  test('ONNX names its inputs and outputs, without the weights', () => {
    expect(fixture('onnx').signature).toEqual({ inputs: [FEATURES], outputs: [{ name: 'scores', type: 'float32', shape: [-1, 2] }] });
  });

  test('Keras, old and new, in HDF5 and zip', () => {
    const expected = { inputs: [FEATURES], outputs: [{ name: 'scores', type: 'float32', shape: [-1, 2] }] };
    for (const name of ['keras-zip', 'keras-h5', 'keras-2-h5']) expect(fixture(name).signature).toEqual(expected);
  });

  test('a SavedModel names its serving signature', () => {
    expect(fixture('savedmodel').signature).toEqual({
      inputs: [FEATURES],
      outputs: [{ name: 'output_0', type: 'float32', shape: [-1, 2] }],
    });
  });

  test('TorchScript holds the source of forward', () => {
    expect(fixture('torchscript').signature?.inputs).toEqual([{ name: 'features', type: 'tensor' }]);
    expect(fact(fixture('torchscript'), 'forward')).toBe('(features: Tensor) -> Tensor');
  });

  test('scikit-learn knows how many features it was fitted on, and which classes', () => {
    const joblib = fixture('sklearn-joblib');
    expect(joblib.signature).toEqual({
      inputs: [{ name: 'features', type: 'float64', shape: [-1, 4] }],
      outputs: [{ name: 'prediction', type: 'int64', shape: [-1] }],
    });
    expect(fact(joblib, 'classes')).toBe('0, 1');
    const pipeline = fixture('sklearn-joblib-xz');
    expect(fact(pipeline, 'steps')).toBe('standardscaler: StandardScaler, logisticregression: LogisticRegression');
    expect(fact(pipeline, 'feature names')).toBe('fuel, seats, wind, rain');
    expect(fact(pipeline, 'classes')).toBe('late, on time');
  });

  test('the classes of a pickle are the same in every protocol', () => {
    for (const protocol of [0, 2, 3, 4, 5]) expect(fact(fixture(`sklearn-pickle-${protocol}`), 'classes')).toBe('late, on time');
  });

  test('trees know their columns', () => {
    for (const name of ['xgboost-json', 'xgboost-ubj', 'lightgbm', 'catboost']) {
      expect(fact(fixture(name), 'feature names')).toBe('fuel, seats, wind, rain');
      expect(fact(fixture(name), 'trees')).toBe('3');
    }
  });

  test("MLflow's columns stand in for a pickle's bare count", () => {
    expect(fixture('mlflow-sklearn').signature?.inputs[0]).toEqual({ name: 'fuel', type: 'float64' });
  });
});

describe('what the model needs', () => {
  test('the versions that the bytes name', () => {
    expect(fixture('sklearn-joblib').needs.packages).toEqual({ 'scikit-learn': '1.9.1' });
    expect(fixture('xgboost-ubj').needs.packages).toEqual({ xgboost: '3.2.0' });
    expect(fixture('savedmodel').needs.packages).toEqual({ tensorflow: '2.21.0' });
    expect(fixture('mlflow-sklearn').needs).toMatchObject({ python: '3.11.7', packages: { 'scikit-learn': '1.9.1' } });
  });

  test('whether loading it runs code', () => {
    for (const name of ['sklearn-joblib', 'torch-state', 'keras-lambda', 'npy-object']) expect(fixture(name).needs.runsCode).toBe(true);
    for (const name of ['onnx', 'xgboost-ubj', 'torchscript', 'keras-zip', 'safetensors']) expect(fixture(name).needs.runsCode).toBe(false);
  });

  test('the image that serves it', () => {
    const families = ['onnx', 'sklearn-joblib', 'xgboost-ubj', 'torchscript', 'savedmodel', 'gguf'].map(
      (name) => fixture(name).needs.image,
    );
    expect(families).toEqual(['onnx', 'sklearn', 'xgboost', 'pytorch', 'tensorflow', 'custom']);
  });
});

describe('a large file', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'fledge-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('of 6 GiB of weights only the header is read', () => {
    const shape = [1024, 1024, 1536];
    const header = Buffer.from(JSON.stringify({ w: { dtype: 'F32', shape, data_offsets: [0, 6 * 1024 ** 3] } }));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    const file = join(folder, 'model.safetensors');
    writeFileSync(file, Buffer.concat([length, header]));
    const { truncateSync } = jest.requireActual<typeof import('node:fs')>('node:fs');
    truncateSync(file, 8 + header.length + 6 * 1024 ** 3);
    const before = process.memoryUsage().rss;
    expect(inspect(folder)).toMatchObject({ parameters: 1536 * 1024 * 1024, totalBytes: 8 + header.length + 6 * 1024 ** 3 });
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  test('a file cut short is said to be so', () => {
    const whole = readFileSync(join(FIXTURES, 'safetensors/model.safetensors'));
    writeFileSync(join(folder, 'model.safetensors'), whole.subarray(0, whole.length - 10));
    expect(inspect(folder).findings).toContainEqual(
      expect.objectContaining({
        severity: 'error',
        code: 'safetensors-broken',
        message: expect.stringContaining('cut short: 496 bytes of tensors are promised and 486 are there'),
      }),
    );
  });
});

describe("the project's own models", () => {
  const MODELS = join(__dirname, '../../model-artifacts/flight-delay');

  test.each(['1', '2', '3', '4', '5'])('flight-delay/%s is ONNX, and its model.yaml agrees with its bytes', (version) => {
    const inspection = inspect(join(MODELS, version));
    expect(inspection).toMatchObject({ name: 'flight-delay', version, framework: 'onnx', needs: { image: 'onnx', runsCode: false } });
    expect(inspection.findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(inspection.signature?.outputs.map(({ name }) => name)).toEqual(['label', 'probability']);
  });

  test('the name of a directory that is only a version number is that of the one above', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fledge-test-'));
    mkdirSync(join(folder, 'churn'));
    cpSync(join(FIXTURES, 'onnx'), join(folder, 'churn/7'), { recursive: true });
    expect(inspect(join(folder, 'churn/7')).name).toBe('churn');
    rmSync(folder, { recursive: true });
  });
});

describe('the same question in other frameworks', () => {
  const FRAMEWORKS = join(__dirname, '../../model-artifacts/frameworks');

  test.each(readdirSync(FRAMEWORKS))('%s has what its container wants, and nothing in it that would do harm', (name) => {
    const { findings } = inspect(join(FRAMEWORKS, name));
    expect(findings.filter(({ severity }) => severity !== 'note')).toEqual([]);
  });
});
