import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { inspect } from '../../lib/model/inspect';

const FIXTURES = join(__dirname, 'fixtures');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'fledge-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function put(name: string, content: string | Buffer): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

const real = (from: string) => readFileSync(join(FIXTURES, from));
const errors = () =>
  inspect(folder, { scan: false })
    .findings.filter(({ severity }) => severity === 'error')
    .map(({ code }) => code);
const warnings = () =>
  inspect(folder, { scan: false })
    .findings.filter(({ severity }) => severity === 'warning')
    .map(({ code }) => code);
const MODEL_FN = 'def model_fn(model_dir):\n    return None\n';

describe('scikit-learn', () => {
  beforeEach(() => put('model.joblib', real('sklearn-joblib/model.joblib')));

  test('needs a handler with model_fn', () => {
    expect(errors()).toEqual(['handler-missing']);
    put('code/inference.py', 'def predict_fn(data, model):\n    return data\n');
    expect(errors()).toEqual(['model-fn-missing']);
    put('code/inference.py', MODEL_FN);
    expect(errors()).toEqual([]);
  });

  test('an imported model_fn counts, one in a comment does not', () => {
    put('code/inference.py', 'from loading import (a, model_fn)\n');
    expect(errors()).toEqual([]);
    put('code/inference.py', '# def model_fn(model_dir):\n');
    expect(errors()).toEqual(['model-fn-missing']);
  });

  test('transform_fn beside predict_fn is refused', () => {
    put('code/inference.py', `${MODEL_FN}def transform_fn(a, b, c, d):\n    pass\ndef predict_fn(a, b):\n    pass\n`);
    expect(errors()).toEqual(['handlers-mixed']);
  });

  test('a handler in the wrong place is found', () => {
    put('inference.py', MODEL_FN);
    expect(errors()).toEqual(['handler-missing', 'handler-at-root']);
  });
});

describe('XGBoost', () => {
  beforeEach(() => put('xgboost-model', real('xgboost-ubj/xgboost-model.ubj')));

  test('loads the first file at the root: model.yaml must be hidden from it', () => {
    put('model.yaml', 'name: trees\n');
    expect(errors()).toEqual(['xgboost-root-files']);
    expect(inspect(folder).findings[0]).toMatchObject({ remedy: expect.stringContaining('rename model.yaml to .model.yaml') });
    rmSync(join(folder, 'model.yaml'));
    put('.model.yaml', 'name: trees\n');
    expect(inspect(folder)).toMatchObject({ name: 'trees', findings: [] });
  });

  test('both model.yaml and .model.yaml are one too many', () => {
    put('model.yaml', 'name: trees\n');
    put('.model.yaml', 'name: trees\n');
    expect(() => inspect(folder)).toThrow('holds model.yaml and .model.yaml: keep one of the two');
  });

  test('a README beside the model might be loaded instead', () => {
    put('README.md', 'about');
    expect(errors()).toEqual(['xgboost-root-files']);
    expect(inspect(folder).findings[0]).toMatchObject({ message: expect.stringContaining('there are 2: README.md, xgboost-model') });
  });

  test('a handler may load any file, once it has model_fn', () => {
    put('README.md', 'about');
    put('code/inference.py', 'x = 1\n');
    expect(errors()).toEqual(['model-fn-missing']);
    put('code/inference.py', MODEL_FN);
    expect(errors()).toEqual([]);
  });

  test('the binary form is on its way out', () => {
    put('xgboost-model', Buffer.concat([Buffer.from('binf'), Buffer.alloc(200)]));
    expect(warnings()).toEqual(['xgboost-binary']);
  });
});

describe('PyTorch', () => {
  test('without a handler only TorchScript loads', () => {
    put('model.pth', real('torch-state/model.pth'));
    expect(errors()).toEqual(['handler-missing']);
  });

  test('TorchScript loads by the name model.pt, or as the only .pt or .pth', () => {
    put('flights.pt', real('torchscript/model.pt'));
    expect(errors()).toEqual([]);
    put('labels.pth', 'not a model');
    expect(errors()).toEqual(['torchscript-name']);
    rmSync(join(folder, 'flights.pt'));
    put('model.pt', real('torchscript/model.pt'));
    expect(errors()).toEqual([]);
  });
});

describe('TensorFlow', () => {
  test('a version directory is served, the bare SavedModel is not', () => {
    cpSync(join(FIXTURES, 'savedmodel/1'), join(folder, '1'), { recursive: true });
    expect(errors()).toEqual([]);
    rmSync(join(folder, '1'), { recursive: true });
    cpSync(join(FIXTURES, 'savedmodel/1'), folder, { recursive: true });
    expect(errors()).toEqual(['savedmodel-version']);
  });

  test('of several versions the newest is meant', () => {
    for (const version of ['1', '2', '10']) cpSync(join(FIXTURES, 'savedmodel/1'), join(folder, version), { recursive: true });
    expect(inspect(folder).modelFile).toBe('10');
  });

  test('missing variables are missed', () => {
    cpSync(join(FIXTURES, 'savedmodel/1'), join(folder, '1'), { recursive: true });
    rmSync(join(folder, '1/variables'), { recursive: true });
    expect(errors()).toEqual(['savedmodel-variables-missing']);
  });

  test('Keras files must be exported first, and a Lambda layer is code', () => {
    put('model.keras', real('keras-lambda/model.keras'));
    expect(errors()).toEqual(['keras-not-exported']);
    expect(warnings()).toEqual(['keras-lambda']);
  });

  test('a Keras file with a model_fn of its own is for the PyTorch image, whose torch Keras computes with', () => {
    put('model.h5', real('keras-h5/model.h5'));
    put('code/inference.py', MODEL_FN);
    expect(inspect(folder)).toMatchObject({ framework: 'keras', needs: { image: 'pytorch' }, findings: [] });
  });
});

describe('Hugging Face', () => {
  const header = (tensors: object) => {
    const json = Buffer.from(JSON.stringify(tensors));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    return Buffer.concat([length, json, Buffer.alloc(8)]);
  };
  const tensor = { dtype: 'F32', shape: [2], data_offsets: [0, 8] };

  test('a directory of save_pretrained is one model however many files it has', () => {
    put(
      'config.json',
      JSON.stringify({ model_type: 'bert', architectures: ['BertModel'], transformers_version: '5.0.0', dtype: 'float32' }),
    );
    put('tokenizer.json', '{}');
    put('model.safetensors', header({ w: tensor }));
    expect(inspect(folder)).toMatchObject({
      framework: 'huggingface',
      format: 'safetensors',
      parameters: 2,
      needs: { image: 'huggingface', packages: { transformers: '5.0.0' } },
      findings: [],
    });
  });

  test('a missing shard is named', () => {
    put('config.json', JSON.stringify({ model_type: 'llama' }));
    put('tokenizer.json', '{}');
    put('model-00001-of-00002.safetensors', header({ w: tensor }));
    put(
      'model.safetensors.index.json',
      JSON.stringify({ weight_map: { w: 'model-00001-of-00002.safetensors', v: 'model-00002-of-00002.safetensors' } }),
    );
    expect(inspect(folder).findings).toEqual([
      expect.objectContaining({ severity: 'error', code: 'shard-missing', path: 'model-00002-of-00002.safetensors' }),
    ]);
  });

  test('shards without a configuration are still one model', () => {
    for (const i of [1, 3]) put(`model-0000${i}-of-00003.safetensors`, header({ w: tensor }));
    put('code/inference.py', MODEL_FN);
    expect(inspect(folder)).toMatchObject({ framework: 'safetensors', parameters: 4 });
    expect(errors()).toEqual(['shard-missing']);
  });

  test('code of its own is pointed out, as are pickled weights and a missing tokenizer', () => {
    put('config.json', JSON.stringify({ model_type: 'x', auto_map: { AutoModel: 'modeling.X' } }));
    put('pytorch_model.bin', real('torch-state/model.pth'));
    expect(warnings()).toEqual(['remote-code', 'weights-pickled', 'tokenizer-missing']);
    expect(inspect(folder).needs.runsCode).toBe(true);
  });

  test('serving.properties asks for the large-model image', () => {
    put('config.json', JSON.stringify({ model_type: 'llama' }));
    put('model.safetensors', header({ w: tensor }));
    put('serving.properties', 'engine=Python\n');
    expect(inspect(folder).needs.image).toBe('djl-lmi');
  });

  test('a configuration alone is no model', () => {
    put('config.json', JSON.stringify({ model_type: 'bert' }));
    put('tokenizer.json', '{}');
    expect(errors()).toEqual(['weights-missing']);
  });
});

describe('Triton', () => {
  test('a repository as it should be', () => {
    put('delay/config.pbtxt', 'name: "delay"\nbackend: "onnxruntime"\n');
    put('delay/1/model.onnx', real('onnx/model.onnx'));
    expect(inspect(folder)).toMatchObject({ framework: 'triton', needs: { image: 'triton' }, findings: [] });
  });

  test('config.pbtxt at the root, another name, no version', () => {
    put('config.pbtxt', 'name: "delay"\n');
    put('delay/config.pbtxt', 'name: "late"\n');
    put('delay/model.onnx', real('onnx/model.onnx'));
    expect(errors()).toEqual(['triton-config-at-root', 'triton-name', 'triton-version']);
  });

  test('two models need a default', () => {
    for (const name of ['a', 'b']) {
      put(`${name}/config.pbtxt`, `name: "${name}"\n`);
      put(`${name}/1/model.onnx`, real('onnx/model.onnx'));
    }
    expect(warnings()).toEqual(['triton-default']);
  });
});

describe('ONNX', () => {
  test('weights in a file that is not there', () => {
    put('model.onnx', real('onnx-external/model.onnx'));
    expect(errors()).toEqual(['external-data-missing']);
    put('weights.bin', real('onnx-external/weights.bin'));
    expect(errors()).toEqual([]);
  });

  test('weights in a file outside the directory', () => {
    const bytes = real('onnx-external/model.onnx');
    const at = bytes.indexOf('weights.bin');
    put('model.onnx', Buffer.concat([bytes.subarray(0, at), Buffer.from('../../s.bin'), bytes.subarray(at + 11)]));
    expect(errors()).toEqual(['onnx-external-data-outside']);
  });
});
