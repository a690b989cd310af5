import { decide } from '../../lib/model/scan';
import { scannedFiles } from './scanned-files';
import { zip } from './zip-by-hand';

const { graded } = scannedFiles();

const inZip = (config: string | Buffer) =>
  zip([
    { name: 'metadata.json', content: Buffer.from('{"keras_version":"3.7.0"}') },
    { name: 'config.json', content: Buffer.from(config) },
  ]);

const scanned = (config: string | Buffer) => graded('model.keras', inZip(config));

const model = (...layers: object[]) => JSON.stringify({ module: 'keras', class_name: 'Functional', config: { name: 'm', layers } });
const names = (...layers: object[]) =>
  scanned(model(...layers)).files.flatMap(({ findings }) => findings.map(({ grade, name }) => `${grade} ${name}`));

describe('what a Keras configuration imports', () => {
  /** Keras 3.7.0 runs each of them, or fetches the name to run it. */
  test.each([
    [
      'a builtin by the name in config',
      { module: 'builtins', class_name: 'function', config: 'exec', registered_name: 'exec' },
      'builtins.exec',
    ],
    [
      'a builtin that is called',
      { module: 'builtins', class_name: 'function', config: '__import__', inbound_nodes: [{ args: ['os'] }] },
      'builtins.__import__',
    ],
    [
      'a builtin by its registered name',
      { module: 'builtins', class_name: 'nothing', config: {}, registered_name: 'eval' },
      'builtins.eval',
    ],
    [
      'a function of a module',
      { module: 'subprocess', class_name: 'function', config: 'call', registered_name: 'call' },
      'subprocess.call',
    ],
    [
      'a registered name of a module',
      { module: 'shutil', class_name: 'function', config: 'nothing', registered_name: 'rmtree' },
      'shutil.rmtree',
    ],
    ['a loader of Keras below a dot', { module: 'keras', class_name: 'function', config: 'saving.load_model' }, 'keras.saving.load_model'],
    [
      'a private function of Keras',
      { module: 'keras.src.saving.saving_lib', class_name: '_load_model_from_dir', config: {} },
      'keras.src.saving.saving_lib._load_model_from_dir',
    ],
    [
      'a type specification',
      { module: 'os', class_name: '__typespec__', spec_name: 'system', config: ['id'], registered_name: null },
      'os.system',
    ],
    [
      'a public function that is called with what the file says',
      { module: 'toolbox', class_name: 'function', config: 'go', inbound_nodes: [{ args: ['id'] }] },
      'toolbox.go',
    ],
    ['a loader layer below a dot', { module: 'keras', class_name: 'layers.TFSMLayer', config: { filepath: '/tmp/other' } }, 'TFSMLayer'],
    [
      'a loader layer by its registered name',
      { module: 'keras.layers', class_name: 'Nothing', registered_name: 'TFSMLayer', config: { filepath: '/tmp/other' } },
      'TFSMLayer',
    ],
    [
      'a TensorFlow function that is called',
      { class_name: 'TFOpLambda', config: { function: 'io.write_file' }, inbound_nodes: [['_CONSTANT_VALUE', -1, '/tmp/a', {}]] },
      'tf.io.write_file',
    ],
    [
      'a node of a graph that reads files',
      { class_name: 'TensorFlowOpLayer', config: { node_def: { name: 'n', op: 'ReadFile' } } },
      'ReadFile',
    ],
    [
      'a node of a graph as bytes',
      { class_name: 'TensorFlowOpLayer', config: { node_def: '\n\u0001n\u0012\bReadFile' } },
      'TensorFlowOpLayer',
    ],
    [
      'a Lambda whose output shape is code',
      {
        class_name: 'Lambda',
        config: { function: 'f', function_type: 'function', output_shape: ['4wEA', null, null], output_shape_type: 'lambda' },
      },
      'Lambda',
    ],
  ])('%s is dangerous', (_, layer, name) => {
    expect(names(layer)).toContain(`dangerous ${name}`);
  });

  test.each([
    ['an activation', { module: 'builtins', class_name: 'function', config: 'relu', registered_name: 'relu' }],
    ['a loss of an older Keras', { module: 'builtins', class_name: 'function', config: 'mean_squared_error', registered_name: 'function' }],
    ['a function of keras.ops', { module: 'keras.ops', class_name: 'function', config: 'relu', registered_name: 'relu' }],
    ['a layer', { module: 'keras.layers', class_name: 'Dense', config: {}, registered_name: null }],
    ['an array', { class_name: '__numpy__', config: { value: [1], dtype: 'float32' } }],
    ['a tensor', { class_name: '__tensor__', config: { value: [1], dtype: 'float32' } }],
    ['a slice', { class_name: '__slice__', config: { start: 0, stop: 1, step: null } }],
    [
      'a TensorSpec',
      {
        module: 'tensorflow.python.framework.tensor',
        class_name: '__typespec__',
        spec_name: 'TensorSpec',
        config: [[1], 'float32'],
        registered_name: null,
      },
    ],
    [
      'a mathematical function of TensorFlow',
      { class_name: 'TFOpLambda', config: { function: 'math.add' }, inbound_nodes: [['x', 0, 0, {}]] },
    ],
    ['a node of a graph', { class_name: 'TensorFlowOpLayer', config: { node_def: { name: 'n', op: 'AddV2' } } }],
    ['a function at the top of TensorFlow', { class_name: 'TFOpLambda', config: { function: 'concat' } }],
    ['a function of its first version', { class_name: 'TFOpLambda', config: { function: 'compat.v1.nn.softmax' } }],
  ])('%s of its own is safe', (_, layer) => expect(names(layer)).toEqual([]));

  test.each([
    ['a loss of your own', { module: 'builtins', class_name: 'function', config: 'my_loss', registered_name: 'my_loss' }, 'my_loss'],
    [
      'an activation of your own package',
      { module: 'mine.layers', class_name: 'function', config: 'soft', registered_name: 'soft' },
      'mine.layers.soft',
    ],
    ['a function of the layers of an old file', { class_name: 'deserialize', config: {} }, 'deserialize'],
  ])('%s is unknown', (_, layer, name) => expect(names(layer)).toEqual([`unknown ${name}`]));

  test('behind a hundred thousand others it is found all the same', () => {
    const others = Array.from({ length: 120_000 }, () => '{}').join(',');
    const hidden = '{"module":"os","class_name":"system","config":{}}';
    expect(scanned(`{"config":[${hidden},${others}]}`).grade).toBe('dangerous');
    expect(decide(scanned(`{"config":[${others},${hidden}]}`)).verdict).toBe('refuse');
  });
});

describe('a Keras configuration that is written otherwise', () => {
  const lambda = { class_name: 'Lambda', config: { function: ['4wEA', null, null], function_type: 'lambda' } };
  const config = model(lambda);
  const grade = (name: string, content: Buffer) => graded(name, content).grade;

  test.each([
    ['NaN', config.replace('"name":"m"', '"name":NaN')],
    ['Infinity', config.replace('"name":"m"', '"name":[Infinity,-Infinity]')],
    ['a key twice', config.replace('"class_name":"Lambda"', '"class_name":"Dense","class_name":"Lambda"')],
    ['a lone surrogate', config.replace('"m"', '"\\ud800"')],
    ['a number of 400 digits', config.replace('"m"', '9'.repeat(400))],
    ['UTF-16', Buffer.from(config, 'utf16le')],
    ['a byte order mark', Buffer.from(`\ufeff${config}`)],
  ])('%s hides no Lambda', (_, written) => {
    expect(scanned(written).files[0]!.findings).toEqual([expect.objectContaining({ grade: 'dangerous', code: 'keras-lambda' })]);
  });

  test.each([
    ['broken', `${config}}`],
    ['empty', ''],
    ['of too many values', `[${'[],'.repeat(3_000_000)}[]]`],
  ])('what is %s is refused', (_, written) => {
    const report = scanned(written);
    expect(decide(report).verdict).toBe('refuse');
    expect(report.files[0]!.findings).toContainEqual(
      expect.objectContaining({ code: 'keras-config-unread', grade: 'dangerous', path: 'model.keras!config.json' }),
    );
  });

  test('Keras asks for no metadata, ends a name at a zero, and takes a zip behind other bytes', () => {
    expect(grade('a.keras', zip([{ name: 'config.json', content: Buffer.from(config) }]))).toBe('dangerous');
    expect(grade('b.keras', zip([{ name: 'config.json\0.txt', content: Buffer.from(config) }]))).toBe('dangerous');
    expect(grade('c.keras', Buffer.concat([Buffer.from('x'), inZip(config)]))).toBe('dangerous');
  });

  const field = (number: number, content: Buffer) =>
    Buffer.concat([Buffer.from([number * 8 + 2, 0x80 | (content.length & 0x7f), content.length >> 7]), content]);

  test('a SavedModel has it in a protobuf', () => {
    const nodes = (...jsons: string[]) => Buffer.concat(jsons.map((json) => field(1, field(5, Buffer.from(json.padEnd(200))))));
    expect(grade('keras_metadata.pb', nodes('{"class_name":"Dense"}', '{"rate":NaN}'))).toBe('safe');
    expect(grade('keras_metadata.pb', nodes('{"class_name":"Dense"}', `{"rate":NaN,"layer":${JSON.stringify(lambda)}}`))).toBe('dangerous');
    expect(grade('keras_metadata.pb', nodes('{"class_name":"Dense"'))).toBe('dangerous');
  });

  test('a SavedModel of an older TensorFlow has it among its objects', () => {
    const object = (layer: unknown) => [field(1, Buffer.from('_tf_keras_layer')), field(3, Buffer.from(JSON.stringify({ layer })))];
    const saved = (...objects: Buffer[]) =>
      field(2, Buffer.concat([field(2, Buffer.alloc(0)), field(7, field(1, Buffer.concat(objects.map((part) => field(4, part)))))]));
    expect(grade('saved_model.pb', saved(Buffer.concat(object({ class_name: 'Dense' }))))).toBe('safe');
    expect(grade('saved_model.pb', saved(Buffer.concat(object(lambda))))).toBe('dangerous');
    expect(grade('saved_model.pb', saved(...object(lambda)))).toBe('dangerous');
  });
});
