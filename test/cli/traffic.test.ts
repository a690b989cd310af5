import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { columnsOf } from '../../lib/cli/rehearsal/columns';
import { firstValue, isSame, type KnownValue, knownValue, rowsIn } from '../../lib/cli/rehearsal/known-value';
import { readTraffic, unknownOutcomes } from '../../lib/cli/rehearsal/traffic';

const folder = mkdtempSync(join(tmpdir(), 'traffic-test-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, content: string | Buffer): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

const csv = { contentType: 'text/csv', header: undefined };
const inOrder = (...names: string[]) => ({ names, header: false });

describe('a traffic file', () => {
  test('of CSV gives its columns in the order of the inputs, and the outcomes apart', () => {
    const file = write('a.csv', 'time,b,a,outcome\n2013,2,1,0\n2014,"x,y",,1\n');
    expect(readTraffic(file, inOrder('a', 'b'))).toEqual({ ...csv, bodies: ['1,2', ',"x,y"'], outcomes: [0, 1] });
  });
  test('says the names of its columns where the inputs are not known', () => {
    const file = write('named.csv', 'time,b,"a, too",outcome\n2013,2,1,0\n');
    expect(readTraffic(file)).toEqual({ contentType: 'text/csv', header: 'b,"a, too"', bodies: ['2,1'], outcomes: [0] });
  });
  test('may be gzipped, and may hold no outcomes', () => {
    const file = write('b.csv.gz', gzipSync('a\n1\n'));
    expect(readTraffic(file, inOrder('a'))).toEqual({ ...csv, bodies: ['1'], outcomes: undefined });
  });
  test('of JSON lines is sent as JSON', () => {
    const file = write('c.jsonl', '{"inputs":{"a":1},"outcome":true}\r\n\n{"inputs":[2],"outcome":"late"}\n');
    expect(readTraffic(file)).toEqual({
      contentType: 'application/json',
      header: undefined,
      bodies: ['{"instances":[{"a":1}]}', '{"instances":[[2]]}'],
      outcomes: [1, 'late'],
    });
  });
  test.each([
    ['CSV', 'mark.csv', 'a,outcome\n1,0\n'],
    ['JSON lines', 'mark.jsonl', '{"inputs":[1],"outcome":0}\n'],
  ])('of %s may begin with a byte order mark', (_, name, content) => {
    expect(readTraffic(write(name, `\ufeff${content}`), inOrder('a'))).toMatchObject({ outcomes: [0] });
  });
  test('of CSV may hold a line break in a quoted field, and other letters', () => {
    const file = write('break.csv', 'a,outcome\n"one\ntwo",verspätet\n');
    expect(readTraffic(file, inOrder('a'))).toMatchObject({ bodies: ['"one\ntwo"'], outcomes: ['verspätet'] });
  });
  test('of one column keeps a missing value', () => {
    expect(readTraffic(write('one.csv', 'a,outcome\n,1\n'), inOrder('a')).bodies).toEqual(['""']);
  });
  test.each([
    ['CSV', 'some.csv', 'a,outcome\n1,0\n2,\n3, \n4,nan\n'],
    [
      'JSON lines',
      'some.jsonl',
      '{"inputs":[1],"outcome":0}\n{"inputs":[2]}\n{"inputs":[3],"outcome":null}\n{"inputs":[4],"outcome":""}\n',
    ],
  ])('of %s may lack some outcomes, and how many is said', (_, name, content) => {
    const file = write(name, content);
    const traffic = readTraffic(file);
    expect(traffic.outcomes).toEqual([0, null, null, null]);
    expect(unknownOutcomes(file, traffic)).toBe(
      `3 of 4 requests in ${file} have no outcome: they do not count among right and wrong answers`,
    );
  });
  test.each([
    ['d.csv', 'a,b\n1\n', /line 2: has 1 column, the header has 2$/],
    ['after-blanks.csv', '\n\na,b\n\n1,2\n\n1\n', /line 7: has 1 column/],
    ['after-break.csv', 'a,b\n"1\n2",3\n1\n', /line 4: has 1 column/],
    ['open.csv', '\na\n1\n"open\n2\n', /line 4: a quote is opened and never closed$/],
    ['e.csv', 'b\n1\n', /has no column a; it has b$/],
    ['twice.csv', 'a,b,a\n1,2,3\n', /has more than one column "a"$/],
    ['wide.csv', `${Array.from({ length: 500 }, (_, i) => `c${i}`).join()}\n`.repeat(2), /has no column a; it has c0, .*c7 and 492 more$/],
    ['f.jsonl', '{"inputs":{}}\n\n{oops\n', /line 3: not JSON: "\{oops"; write one JSON object a line/],
    ['long.jsonl', `{"inputs":${'1'.repeat(5000)}x}\n`, /line 1: not JSON: .{60,80}; write/],
    ['escape.jsonl', '{"inputs":\x1b[31m\x9b}\n', /line 1: not JSON: "\{\\"inputs\\":\\u001b\[31m\\u\{9b\}\}"; write/],
    ['null.jsonl', 'null\n', /line 1: no object: "null"; write one JSON object a line/],
    ['later-null.jsonl', '{"inputs":{}}\nnull\n', /line 2: no object: "null"/],
    ['array.json', '[{"inputs":{}}]\n', /is a JSON array: write one JSON object a line/],
    ['g.jsonl', '{"instances":[]}\n', /line 1: has no "inputs"$/],
    ['object.jsonl', '{"inputs":[1],"outcome":{"a":1}}\n', /line 1: outcome must be a number, a text, true or false, not "\{/],
    ['latin1.csv', Buffer.from('a\nfine\nversp\xe4tet\n', 'latin1'), /line 3: is not UTF-8/],
    ['utf16.csv', Buffer.from('\ufeffa\n1\n', 'utf16le'), /is written in UTF-16: save it as UTF-8$/],
    ['h.csv', '', /holds no requests$/],
    ['blank.csv', '\n \n', /holds no requests$/],
    ['i.csv', 'a,b\n', /holds no requests below its header$/],
    ['j.csv.gz', gzipSync('a\n1\n').subarray(0, 15), /a gzip file that was cut off$/],
    ['k.csv.gz', Buffer.from([0x1f, 0x8b, 9, 9, 9]), /a damaged gzip file$/],
  ])('that is wrong is refused in one line with its place: %s', (name, content, said) => {
    expect(() => readTraffic(write(name, content), inOrder('a'))).toThrow(said);
  });
});

describe('an answer is right', () => {
  test.each<[string, KnownValue, string, string]>([
    ['a number written otherwise', knownValue('1.0')!, '1,0.9\n', 'text/csv'],
    ['a truth as a number', knownValue('true')!, '1\n', 'text/csv'],
    ['a truth that was a number', knownValue(true)!, '{"predictions":[{"label":1,"probability":0.8}]}', 'application/json'],
    ['a truth of Python', knownValue('False')!, '0\n', 'text/csv'],
    ['spaces between', knownValue('1')!, '1, 1, 1', 'text/csv'],
    ['spaces before', knownValue(' 2 ')!, '  2, 1, 1\r\n', 'text/csv'],
    ['letters beyond ASCII', knownValue('verspätet')!, 'verspätet,0.9\n', 'text/csv'],
    ['a comma in quotes', knownValue('late, very')!, '"late, very",0.9\n', 'text/csv'],
    ['quotes', knownValue('late')!, '"late",0.9\n', 'text/csv'],
    ['JSON that is called CSV', 1, '{"predictions": [[1, 0.9]]}', 'text/csv; charset=utf-8'],
    ['a bare array', 1, '[1.0]', 'application/json'],
    ['a bare text', 'late', '"late"', 'application/json'],
    ['outputs', 0, '{"outputs":{"label":[false]}}', 'application/json'],
    ['a fraction of 32 bits', knownValue('0.1')!, '0.10000000149011612', 'text/csv'],
    ['an integer that no double holds', knownValue('9007199254740993')!, '9007199254740993', 'text/csv'],
  ])('by its value: %s', (_, outcome, body, type) => {
    expect(isSame(firstValue(Buffer.from(body), type), outcome)).toBe(true);
  });
  test.each<[string, KnownValue, string]>([
    ['another number', 1, '0'],
    ['another integer, close by', 16_777_217, '16777216'],
    ['another integer that no double tells apart', knownValue('9007199254740993')!, '9007199254740992'],
    ['a text in other letters', 'Late', 'late'],
    ['nothing', 0, ''],
    ['NaN', 0, 'nan'],
    ['an open quote', 'late', '"late'],
    ['an empty list', 0, '{"predictions":[]}'],
  ])('but not with %s', (_, outcome, body) => {
    expect(isSame(firstValue(Buffer.from(body), 'text/csv'), outcome)).toBe(false);
  });
  test.each([
    ['1\n2\n', 2],
    ['[[1, 2]]', 1],
    ['{"predictions":[1,2,3]}', 3],
    ['"late"', 1],
  ])('its rows can be counted: %j', (body, rows) => expect(rowsIn(Buffer.from(body))).toBe(rows));
});

describe('a model takes its columns', () => {
  const models = join(__dirname, '..', '..', 'model-artifacts');
  test('by the names of its signature', () => {
    expect(columnsOf(join(models, 'flight-delay', '1'))).toMatchObject({ names: expect.arrayContaining(['carrier']), header: false });
    expect(columnsOf(join(models, 'frameworks', 'sklearn-pickle'))).toMatchObject({ names: expect.arrayContaining(['carrier']) });
  });
});
