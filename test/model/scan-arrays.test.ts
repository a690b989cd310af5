import { BufferBytes } from '../../lib/model/formats/bytes';
import { readNpy } from '../../lib/model/formats/npy';
import { parseLiteral } from '../../lib/model/formats/python-literal';
import { scanFile } from '../../lib/model/scan';

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const PAYLOAD = "cos\nsystem\n(S'id'\ntR.";
const scan = (bytes: Buffer, name = 'model.npy') => scanFile(new BufferBytes(bytes), name);

function npy(descr: string, body = PAYLOAD): Buffer {
  const header = `{${descr}, 'fortran_order': False, 'shape': (1,), }\n`;
  return latin1(`\x93NUMPY\x01\0${String.fromCharCode(header.length)}\0${header}${body}`);
}

describe('an array of Python objects', () => {
  test.each([
    ['as numpy writes it', "'descr': '|O'"],
    ['in double quotes', `'descr': "|O"`],
    ['said twice', "'descr': '<f4', 'descr': '|O'"],
    ['by an escaped key', "'desc\\x72': '|O'"],
    ['by an escaped type', "'descr': '\\x7cO'"],
    ['by two texts beside one another', "'descr': '|' 'O'"],
    ['by a raw text', "'descr': r'|O'"],
    ['by its long name', "'descr': 'object'"],
    ['as a field', "'descr': [('a', '|O')]"],
    ['as a field of a field', "'descr': [('a', [('b', '<f4'), ('c', '|O')])]"],
    ['as a field of several by commas', "'descr': 'f4,O'"],
    ['with a shape of its own', "'descr': ('|O', (2,))"],
    ['as a list of lists', "'descr': [['a', '|O']]"],
  ])('%s is read as the pickle that it is', (_, descr) => expect(scan(npy(descr)).grade).toBe('dangerous'));

  test('in a header that is no literal is dangerous if its body is', () => {
    expect(scan(npy("'descr': open('x')")).grade).toBe('dangerous');
    expect(scan(npy("'descr': open('x')", 'N.')).findings.map(({ code }) => code)).toEqual(['npy-odd']);
  });
});

test('numbers, records and dates are no pickles', () => {
  for (const descr of ["'descr': '<f4'", "'descr': '<M8[ns]'", "'descr': [('Open', '<f4'), ('c', '<i8', (2,))]", "'descr': '|S4'"])
    expect(scan(npy(descr, '\0\0\x80\x3f')).findings).toEqual([]);
});

test('a header of Python 2 is read, and literals as Python reads them', () => {
  const header = "{'shape': (3L, 4L), 'descr': '<f8', 'fortran_order': False}";
  const file = latin1(`\x93NUMPY\x01\0${String.fromCharCode(header.length)}\0${header}`);
  expect(readNpy(new BufferBytes(file))).toMatchObject({ type: 'float64', shape: [3, 4], isPlain: true });
  expect(parseLiteral("{'a': (1L, -2.5e3, 0x1F), b'b': [True, None,], 'c': {1, 2}}  # so")).toEqual(
    new Map<string, unknown>([
      ['a', { kind: 'tuple', items: [1, -2500, 31] }],
      ['b', { kind: 'list', items: [true, null] }],
      ['c', { kind: 'set', items: [1, 2] }],
    ]),
  );
});

test.each(['', '{', "{'a'}x", "'a", '(1 2)', 'os.system', '['.repeat(1000)])('%s is no literal', (text) =>
  expect(() => parseLiteral(text)).toThrow('no Python literal at character'),
);
