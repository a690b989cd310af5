import { scannedFiles } from './scanned-files';

const { graded, codes } = scannedFiles();

const EVIL = "{{ ''.__class__ }}";
const nested = (depth: number, inner: string) => `${'{"a":['.repeat(depth)}${inner}${']}'.repeat(depth)}`;

describe('JSON', () => {
  test.each([
    ['with NaN beside it', `{"model_max_length": NaN, "chat_template": "${EVIL}"}`],
    ['in what begins like an XGBoost model', `{"version":"1","x":"learner","chat_template":"${EVIL}"}`],
    ['a thousand deep', nested(1000, `{"chat_template":"${EVIL}"}`)],
    ['by a name', `{"chat_template":{"default":"${EVIL}"}}`],
    ['of several', `{"chat_template":[{"name":"tools","template":"${EVIL}"}]}`],
    ['behind a key and 70,000 spaces', `{"chat_template"${' '.repeat(70_000)}:"${EVIL}"}`],
    ['on the second line of several documents', `{"a":1}\n{"chat_template":"${EVIL}"}\n`],
    [
      'behind a list that nests a hundred thousand deep',
      `{"auto_map":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}},"chat_template":"${EVIL}"}`,
    ],
  ])('a template %s is read', (_, json) => expect(codes('tokenizer_config.json', json)).toContain('template-escape'));

  test.each([
    ['seventy deep', nested(70, '{"py/reduce":[{"py/function":"os.system"},{"py/tuple":["id"]}]}')],
    ['behind a class that is harmless', '{"py/object":"collections.OrderedDict","py/reduce":[{"py/type":"os.system"}]}'],
  ])('jsonpickle %s is dangerous', (_, json) => expect(graded('config.json', json).grade).toBe('dangerous'));

  test('a Keras model in a directory, or by its layers alone, is judged as one', () => {
    const layer = { class_name: 'Lambda', config: { function: ['4wEA', null, null], function_type: 'lambda' } };
    expect(codes('config.json', JSON.stringify({ class_name: 'Sequential', config: { layers: [layer] } }))).toEqual(['keras-lambda']);
    expect(codes('labels.json', '[{"class_name": "dog"}, {"class_name": "cat", "config": 1}]')).toEqual([]);
  });

  test.each([
    ['is broken', 'config.json', '{"auto_map": {"AutoModel": "m.X"}'],
    ['holds millions of values', 'config.json', `{"auto_map": [${'[],'.repeat(2_000_001)}[]]}`],
    ['is broken, and has another name', 'settings', '{"chat_template": "a"'],
  ])('what %s is unknown', (_, name, json) => {
    expect(graded(name, json)).toMatchObject({
      grade: 'unknown',
      files: [{ findings: [{ code: 'json-unread', message: expect.stringContaining('not read to its end: ') }] }],
    });
  });

  test('what only begins with a bracket is no JSON', () => {
    expect(codes('README.md', '[a link](https://docs/python/x) {{ template": }}')).toEqual([]);
    expect(codes('a.ini', '[template]\nrun = python/3')).toEqual([]);
  });
});

describe('a flood of findings', () => {
  test('hides no danger that comes after it', () => {
    const flood = Array.from({ length: 1500 }, (_, i) => ({ auto_map: { a: `m.X${i}` } }));
    expect(graded('config.json', JSON.stringify([...flood, { 'py/reduce': [] }])).grade).toBe('dangerous');
  });
});

describe('a text of more than 16 MiB', () => {
  const padding = 'x'.repeat(17 * 1024 * 1024);

  test.each([
    ['model.json', `{"chat_template": "${EVIL}", "a": "${padding}"}`],
    ['model.yaml', `# ${padding}\na: !!python/object/apply:os.system ['id']`],
    ['chat_template.jinja', `${padding}${EVIL}`],
  ])('%s is unknown, as it was not read', (name, text) => expect(codes(name, text)).toEqual(['text-too-large']));

  test('is safe where no word in it may name code', () => expect(codes('vocabulary.json', `{"a": "${padding}"}`)).toEqual([]));
});

describe('YAML', () => {
  const TAG = "!!python/object/apply:os.system ['id']";
  test.each([
    ['an XGBoost model', `{"version": "1", "x": "learner", "a": ${TAG}}`],
    ['an XGBoost model in UBJSON', `{Lxxxxxxxxlearner: ${TAG}}`],
    ['a LightGBM model', `tree\nversion=v4\n---\n${TAG}`],
    ['a GGUF file', `GGUF: ${TAG}`],
    ['a TFLite model', `abcdTFL3: ${TAG}`],
  ])('that begins like %s is read', (_, yaml) => expect(graded('config.yaml', yaml).grade).toBe('dangerous'));

  test('a handle may mean another thing in the next document', () => {
    const first = '%TAG !e! tag:yaml.org,2002:python/object/apply:os.\n---\n!e!system [id]\n...\n';
    expect(graded('config.yaml', `${first}%TAG !e! tag:mine,2002:\n---\na: 1\n`).grade).toBe('dangerous');
    expect(graded('config.yaml', `a: 1\n...\x85${first}`).grade).toBe('dangerous');
  });
});

describe('a template', () => {
  test.each([
    ['behind the end of a block in a string', `{{ "}}" ~ ''.__class__ }}`],
    ['behind a string that has no end', `{% raw %}{{ " {% endraw %}${EVIL}`],
    ['behind a block that has no end', `{% {{ a }}${EVIL}`],
    ['behind a zero', `{# \0 #}${EVIL}`],
  ])('%s is looked at', (_, template) => expect(codes('chat_template.jinja', template)).toEqual(['template-escape']));

  test.each(['{{', '{%', "{{'", "{{ '}}", '{{ "\\"', "{{ a }}'"])('a megabyte of %s is looked at in one pass', (unit) => {
    const template = unit.repeat(1_000_000 / unit.length);
    expect(graded('chat_template.jinja', template).grade).toBe('safe');
  });
});
