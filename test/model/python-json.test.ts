import { decodePythonJson, readPythonJson } from '../../lib/model/formats/python-json';

describe('JSON as Python reads it', () => {
  test.each([
    ['{"a": NaN, "b": [Infinity, -Infinity, -1]}', { a: null, b: [null, null, -1] }],
    ['{"a": "NaN, \\"Infinity", "b": NaN}', { a: 'NaN, "Infinity', b: null }],
    ['{"a\\\\": NaN}', { 'a\\': null }],
    ['{"a": 1, "a": 2}', { a: 2 }],
    ['["\\ud800"]', ['\ud800']],
    [`[${'9'.repeat(400)}]`, [Number.POSITIVE_INFINITY]],
    ['NaN', null],
  ])('%s', (text, value) => expect(readPythonJson(text)).toEqual(value));

  test.each(['', '{', '{"a": nan}', '{"a": NaN', '["NaN]', '{"a": NaN} x', '[01]', "{'a': 1}", '["\n"]'])('%j is none', (text) => {
    expect(() => readPythonJson(text)).toThrow();
  });

  test('a million quotes are read in one pass', () => {
    expect(() => readPythonJson(`["${'\\'.repeat(1_000_000)}`)).toThrow();
    expect((readPythonJson(`[NaN${',""'.repeat(250_000)}]`) as unknown[]).length).toBe(250_001);
  });

  test('what would take hundreds of megabytes is not read', () => {
    expect(() => readPythonJson(`[${'[],'.repeat(3_000_000)}[]]`)).toThrow('more than 1000000 values');
  });

  const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16();
  const wide = (text: string) => Buffer.concat([...text].map((c) => Buffer.from(Uint32Array.of(c.codePointAt(0)!).buffer)));
  test.each([
    ['UTF-8', Buffer.from('{"é": "😀"}')],
    ['UTF-8 with a mark', Buffer.from('\ufeff{"é": "😀"}')],
    ['UTF-16', Buffer.from('{"é": "😀"}', 'utf16le')],
    ['UTF-16 with a mark', Buffer.from('\ufeff{"é": "😀"}', 'utf16le')],
    ['UTF-16, big-endian', swapped('{"é": "😀"}')],
    ['UTF-16, big-endian, with a mark', swapped('\ufeff{"é": "😀"}')],
    ['UTF-32', wide('{"é": "😀"}')],
    ['UTF-32 with a mark', wide('\ufeff{"é": "😀"}')],
    ['UTF-32, big-endian', wide('{"é": "😀"}').swap32()],
    ['UTF-32, big-endian, with a mark', wide('\ufeff{"é": "😀"}').swap32()],
  ])('bytes in %s', (_, bytes) => expect(decodePythonJson(bytes)).toBe('{"é": "😀"}'));
});
