import {
  BadRequest,
  type Batch,
  decode,
  encodingFor,
  Layout,
  type Outputs,
  type Signature,
  TensorMemory,
  type TensorSpec,
  tensorsOf,
} from '../../lib/serving/codec';
import { fromHalf, toHalf } from '../../lib/serving/codec/half';

const input = (name: string, type: TensorSpec['type'], ...shape: (number | string)[]): TensorSpec => ({ name, type, shape });

const FLIGHT: Signature = {
  inputs: [input('carrier', 'string', 'N', 1), input('hour', 'int64', 'N', 1), input('distance', 'float32', 'N', 1)],
  outputs: [],
};
const FEATURES: Signature = { inputs: [input('features', 'float32', 'N', 2)], outputs: [] };

function tensors(signature: Signature, body: unknown, contentType = 'application/json'): Batch {
  const layout = new Layout(signature);
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return tensorsOf(layout, decode(layout, bytes, contentType));
}

function refusal(signature: Signature, body: unknown, contentType?: string): string {
  try {
    tensors(signature, body, contentType);
  } catch (error) {
    if (error instanceof BadRequest) return `${error.status} ${error.message}`;
    throw error;
  }
  throw new Error('the request was taken');
}

/** A tensor's values and dims, as plain JavaScript. */
function values(batch: Batch, name: string): unknown {
  const { data, dims } = batch.tensors[name]!;
  return { data: Array.from(data as ArrayLike<unknown>), dims };
}

/** A .npy array as numpy 1.x and 2.x write it. */
function npy(descr: string, shape: string, data: ArrayBufferView): Buffer {
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }`.padEnd(117);
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'),
    Buffer.from(`${header}\n`),
    Buffer.from(data.buffer, data.byteOffset, data.byteLength),
  ]);
}

describe('a request for a model of named inputs', () => {
  const expected = {
    carrier: { data: ['UA', 'B6'], dims: [2, 1] },
    hour: { data: [5n, 23n], dims: [2, 1] },
    distance: { data: [500, Number.NaN], dims: [2, 1] },
  };

  test.each([
    [
      'rows of names',
      'application/json',
      '{"instances":[{"hour":5,"carrier":"UA","distance":500},{"carrier":"B6","hour":23,"distance":null,"tail":"N1"}]}',
    ],
    ['rows in order', 'application/json; charset=utf-8', '{"instances":[["UA",5,500],["B6",23,null]]}'],
    ['bare rows', 'application/json', '[["UA",5,500],["B6",23,null]]'],
    ['columns', 'application/json', '{"inputs":{"carrier":["UA","B6"],"hour":[[5],[23]],"distance":[500,null]}}'],
    ['lines', 'application/jsonlines', '{"hour":5,"carrier":"UA","distance":500}\n{"hour":23,"carrier":"B6","distance":null}\n'],
    ['CSV', 'text/csv', 'UA,5,500\nB6,23,\n'],
    ['CSV of Windows, without a last line break', 'text/csv', '"UA",5,500\r\n"B6",23,'],
    ['CSV under a header in another order', 'text/csv', 'distance,hour,carrier\n500,5,UA\n,23,B6\n'],
    ['CSV under a header with columns of others', 'text/csv', 'tail,distance,hour,carrier\nN1,500,5,UA\n,,23,B6\n'],
  ])('is taken as %s', (_, contentType, body) => {
    const batch = tensors(FLIGHT, body, contentType);
    expect(batch.rows).toBe(2);
    for (const [name, column] of Object.entries(expected)) expect(values(batch, name)).toEqual(column);
  });

  test('a missing string is the empty string', () => {
    expect(values(tensors(FLIGHT, [[null, 5, 1]]), 'carrier')).toEqual({ data: [''], dims: [1, 1] });
    expect(values(tensors(FLIGHT, ',5,1', 'text/csv'), 'carrier')).toEqual({ data: [''], dims: [1, 1] });
  });

  test('CSV quotes hide commas, quotes and line breaks', () => {
    expect(values(tensors(FLIGHT, '"a,""b""\nc",5,1\n', 'text/csv'), 'carrier')).toEqual({ data: ['a,"b"\nc'], dims: [1, 1] });
  });

  test('integers of 64 bits in text keep every digit', () => {
    expect(values(tensors(FLIGHT, 'UA,9007199254740993,1', 'text/csv'), 'hour')).toEqual({ data: [9007199254740993n], dims: [1, 1] });
  });

  test.each([
    [{ instances: [{ carrier: 'UA', hour: 5 }] }, '400 instances[0] lacks "distance"'],
    [
      {
        instances: [
          ['UA', 5, 1],
          ['UA', 'five', 1],
        ],
      },
      '400 instances[1], input "hour": must be an integer, not "five"',
    ],
    [{ instances: [['UA', null, 1]] }, '400 instances[0], input "hour": must be an integer, not a missing value'],
    [
      { instances: [['UA', 2 ** 60, 1]] },
      '400 instances[0], input "hour": must be an integer, not 1152921504606847000 (beyond 2^53 - 1 a number is not exact in JSON: send text/csv)',
    ],
    [{ instances: [[7, 5, 1]] }, '400 instances[0], input "carrier": must be a string without NUL, not 7'],
    [{ instances: [['UA', 5, '500']] }, '400 instances[0], input "distance": must be a number (float32), not "500"'],
    [{ instances: [['UA', 5, [1, 2]]] }, '400 instances[0], input "distance": must be a number (float32), not [1,2]'],
    [{ instances: [['UA', 5]] }, '400 instances[0] has 2 values, the model takes 3: "carrier", "hour", "distance"'],
    [{ instances: [{ carrier: 'UA', hour: 5, distance: 1 }, 3] }, '400 instances[1] is not an object of inputs, as the first row is'],
    [
      { instances: [['UA', 5, 1], { carrier: 'UA', hour: 5, distance: 1 }] },
      '400 instances[1] is an object and the first row is none: all rows must be of one kind',
    ],
    [{ instances: [['UA\u0000B6', 5, 1]] }, '400 instances[0], input "carrier": must be a string without NUL, not "UA\\u0000B6"'],
    ['[["UA",5,1e400]]', '400 row 1, input "distance": must be a number (float32), not Infinity'],
    ['[["UA",5,1],["UA",5,-1e39]]', '400 row 2, input "distance": must be a number (float32), not -1e+39'],
    [{ instances: [] }, '400 the request holds no rows'],
    [{ instances: 'UA' }, '400 instances must be an array of rows, not "UA"'],
    [{ inputs: { carrier: ['UA'], hour: [5] } }, '400 inputs lacks "distance"'],
    [{ inputs: { carrier: ['UA'], hour: [5, 6], distance: [1] } }, '400 inputs."hour" has 2 rows, "carrier" has 1'],
    [{ carrier: 'UA' }, '400 the body must be {"instances": [row, ...]}'],
    ['{"instances":', '400 the body is not JSON: '],
    ['', '400 the body is not JSON: '],
  ])('%j is refused by name', (body, message) => {
    expect(refusal(FLIGHT, body)).toContain(message);
  });

  test.each([
    ['UA,5\n', '400 row 1 has 2 fields, the model takes 3'],
    ['UA,5,1\nUA,5,far\n', '400 row 2, input "distance": must be a number (float32), not "far"'],
    ['UA,5,inf\n', '400 row 1, input "distance": must be a number (float32), not "inf"'],
    ['UA,5,Infinity\n', '400 row 1, input "distance": must be a number (float32), not Infinity'],
    ['UA,,1\n', '400 row 1, input "hour": must be an integer, not a missing value'],
    ['"UA,5,1\n', '400 row 1: a quote is opened and never closed'],
    ['"UA"x,5,1\n', '400 row 1: text after a closing quote'],
    ['tail,distance,hour,carrier\n500,5,UA\n', '400 row 1 has 3 fields, the header has 4'],
    ['\n\n', '400 the request holds no rows'],
  ])('CSV %j is refused by row', (body, message) => {
    expect(refusal(FLIGHT, body, 'text/csv')).toContain(message);
  });

  test('lines are refused by line', () => {
    expect(refusal(FLIGHT, '["UA",5,1]\n["UA",', 'application/jsonlines')).toContain('400 line 2 is not JSON');
    expect(refusal(FLIGHT, '["UA",5,1]\n\n["UA",', 'application/jsonlines')).toContain('400 line 3 is not JSON');
    expect(refusal(FLIGHT, '\n["UA",5,1]\n\n["UA",5,true]', 'application/jsonlines')).toContain('400 line 4, input "distance"');
  });

  test.each(['application/json', 'application/jsonlines', 'text/csv'])('%s that is no UTF-8 is refused, not read as other text', (type) => {
    const body = type === 'text/csv' ? 'S\xe3o,5,1' : '[["S\xe3o",5,1]]';
    expect(refusal(FLIGHT, Buffer.from(body, 'latin1'), type)).toBe('400 the body is not UTF-8: send text as UTF-8');
  });

  test('an unknown Content-Type is refused with those that are taken', () => {
    expect(refusal(FLIGHT, 'x', 'image/png')).toBe(
      '415 Content-Type "image/png" is not taken: send application/json, application/jsonlines, text/csv, application/x-npy',
    );
  });

  test('values nested without end are refused', () => {
    expect(refusal(FEATURES, `[{"features":[${'['.repeat(500_000)}${']'.repeat(500_000)},1]}]`)).toContain(
      'not values nested too deep to show',
    );
  });

  test('a long value is cut short in the message', () => {
    expect(refusal(FLIGHT, [['UA', 'x'.repeat(5000), 1]]).length).toBeLessThan(200);
  });
});

describe('a request for a model of one input', () => {
  const both = { data: [1, 2, 3, 4], dims: [2, 2] };

  test.each([
    ['application/json', '[[1,2],[3,4]]'],
    ['application/json', '{"instances":[[1,2],[3,4]]}'],
    ['application/json', '{"instances":[[[1,2]],[[3,4]]]}'],
    ['application/json', '{"instances":[{"features":[1,2]},{"features":[3,4]}]}'],
    ['application/json', '{"inputs":[[1,2],[3,4]]}'],
    ['application/json', '{"inputs":{"features":[[1,2],[3,4]]}}'],
    ['text/csv', '1,2\n3,4\n'],
    ['application/jsonlines', '[1,2]\n[3,4]\n'],
  ])('is taken as %s %s', (contentType, body) => {
    expect(values(tensors(FEATURES, body, contentType), 'features')).toEqual(both);
  });

  test('a bare array of numbers is one row', () => {
    expect(values(tensors(FEATURES, [1, 2]), 'features')).toEqual({ data: [1, 2], dims: [1, 2] });
  });

  test.each([
    ['<f4', new Float32Array([1, 2, 3, 4])],
    ['<f8', new Float64Array([1, 2, 3, 4])],
    ['<i8', new BigInt64Array([1n, 2n, 3n, 4n])],
    ['|u1', new Uint8Array([1, 2, 3, 4])],
  ])('is taken as a NumPy array of %s', (descr, data) => {
    expect(values(tensors(FEATURES, npy(descr, '2, 2', data), 'application/x-npy'), 'features')).toEqual(both);
  });

  test.each([
    [npy('<f4', '2, 3', new Float32Array(6)), '400 row 1, input "features": must be 2 values, not 3 values (a row is [2])'],
    [npy('<f4', '2, 2', new Float32Array(3)), "400 the array's shape [2, 2] asks for 16 bytes, the body has 12"],
    [npy('<f8', '1099511627776, 2', new Float32Array(3)), "400 the array's shape [1099511627776, 2] asks for"],
    [npy('|O', '2, 2', new Float32Array(4)), '400 arrays of dtype |O are not taken'],
    [Buffer.from('[1, 2]'), '400 the body is not a .npy array'],
  ])('a NumPy array that does not fit is refused', (body, message) => {
    expect(refusal(FEATURES, body, 'application/x-npy')).toContain(message);
  });

  test('free dimensions take the shape of the first row, and every row must have it', () => {
    const text: Signature = { inputs: [input('ids', 'int64', 'batch', 'sequence')], outputs: [] };
    expect(values(tensors(text, [[1, 2, 3]]), 'ids')).toEqual({ data: [1n, 2n, 3n], dims: [1, 3] });
    expect(values(tensors(text, '1,2,3\n4,5,6', 'text/csv'), 'ids')).toEqual({ data: [1n, 2n, 3n, 4n, 5n, 6n], dims: [2, 3] });
    expect(
      refusal(text, [
        [1, 2, 3],
        [1, 2],
      ]),
    ).toContain('400 row 2, input "ids": must be 3 values, not 2 values');
  });

  test('a free dimension beside fixed ones takes in CSV as many fields as fill it, and no more', () => {
    const steps: Signature = { inputs: [input('steps', 'float32', 'N', 'time', 2)], outputs: [] };
    expect(values(tensors(steps, '1,2,3,4', 'text/csv'), 'steps')).toEqual({ data: [1, 2, 3, 4], dims: [1, 2, 2] });
    expect(refusal(steps, '1,2,3,4,5', 'text/csv')).toBe('400 row 1 has 5 fields, "steps" takes a multiple of 2');
    const channels: Signature = { inputs: [input('channels', 'float32', 'N', 2, 'time')], outputs: [] };
    expect(values(tensors(channels, '1,2,3,4,5,6', 'text/csv'), 'channels')).toEqual({ data: [1, 2, 3, 4, 5, 6], dims: [1, 2, 3] });
    const free: Signature = { inputs: [input('image', 'float32', 'N', 'high', 'wide')], outputs: [] };
    expect(refusal(free, '1,2,3,4', 'text/csv')).toBe(
      '415 input "image" leaves several dimensions free and has no text/csv form: send application/json',
    );
  });

  test('of float16 takes numbers, and NumPy arrays of any float, and refuses what it cannot hold', () => {
    const half: Signature = { inputs: [input('x', 'float16', 'N', 2)], outputs: [] };
    const bits = { data: [0x3c00, 0xc500, 0x7bff, 0x0001], dims: [2, 2] };
    const rows = [
      [1, -5],
      [65504, 2 ** -24],
    ];
    expect(values(tensors(half, rows), 'x')).toEqual(bits);
    expect(values(tensors(half, '1,-5\n65504,5.9604644775390625e-8\n', 'text/csv'), 'x')).toEqual(bits);
    expect(values(tensors(half, npy('<f2', '2, 2', new Uint16Array(bits.data)), 'application/x-npy'), 'x')).toEqual(bits);
    expect(values(tensors(half, npy('<f4', '2, 2', new Float32Array(rows.flat())), 'application/x-npy'), 'x')).toEqual(bits);
    expect(values(tensors(half, [[null, 1e-9]]), 'x')).toEqual({ data: [0x7e00, 0], dims: [1, 2] });
    expect(refusal(half, [[1, 65520]])).toContain('400 row 1, input "x": must hold a number (float16) at 1, not 65520');
    const other = npy('<f2', '2, 2', new Uint16Array([0x3c00, 0x4000, 0x4200, 0x4400]));
    expect(values(tensors(FEATURES, other, 'application/x-npy'), 'features')).toEqual(both);
  });

  test('every float16 comes out as it went in', () => {
    const wrong = Array.from({ length: 0x10000 }, (_, half) => half).filter((half) => {
      const value = fromHalf(half);
      return Number.isNaN(value) ? toHalf(value) !== 0x7e00 : toHalf(value) !== half;
    });
    expect(wrong).toEqual([]);
    // Halfway goes to the even one, also where it carries into the next power of two.
    expect([1 + 2 ** -11, 1 + 3 * 2 ** -11, 2 - 2 ** -11, 2 ** -25, 3 * 2 ** -25].map(toHalf)).toEqual([0x3c00, 0x3c02, 0x4000, 0, 2]);
  });

  test('an image takes nested arrays, or in CSV its values one after the other', () => {
    const image: Signature = { inputs: [input('pixels', 'uint8', 'N', 1, 2, 2)], outputs: [] };
    const expected = { data: [1, 2, 3, 255], dims: [1, 1, 2, 2] };
    expect(
      values(
        tensors(image, [
          [
            [
              [1, 2],
              [3, 255],
            ],
          ],
        ]),
        'pixels',
      ),
    ).toEqual(expected);
    expect(values(tensors(image, '1,2,3,255', 'text/csv'), 'pixels')).toEqual(expected);
    expect(
      refusal(image, [
        [
          [
            [1, 2],
            [3, 256],
          ],
        ],
      ]),
    ).toContain('must hold an integer from 0 to 255 at 3, not 256');
  });

  test('a graph that fixes the number of rows takes just so many', () => {
    const one: Signature = { inputs: [input('x', 'float64', 1, 2)], outputs: [] };
    expect(
      refusal(one, [
        [1, 2],
        [3, 4],
      ]),
    ).toContain('400 the request has 2 rows, input "x" takes exactly 1');
  });

  test('an input of one value a row takes bare values', () => {
    const scalar: Signature = { inputs: [input('x', 'bool', 'N')], outputs: [] };
    const expected = { data: [1, 0], dims: [2] };
    expect(values(tensors(scalar, [true, false]), 'x')).toEqual(expected);
    expect(values(tensors(scalar, [[true], [false]]), 'x')).toEqual(expected);
    expect(values(tensors(scalar, 'True\n0\n', 'text/csv'), 'x')).toEqual(expected);
    const column: Signature = { inputs: [input('x', 'bool', 'N', 1)], outputs: [] };
    expect(values(tensors(column, [true, false]), 'x')).toEqual({ data: [1, 0], dims: [2, 1] });
    expect(refusal(scalar, ['yes'])).toContain('must be true or false, not "yes"');
  });
});

describe('an answer', () => {
  const OUTPUTS: Outputs = {
    label: { type: 'int64', data: new BigInt64Array([0n, 2n ** 60n]), dims: [2], location: 'cpu' },
    probability: { type: 'float32', data: new Float32Array([0.25, Number.NaN]), dims: [2, 1], location: 'cpu' },
    name: { type: 'string', data: ['on "time"', 'a,b'], dims: [2], location: 'cpu' },
  };
  const write = (accept: string | undefined, outputs = OUTPUTS, rows = 2): string =>
    encodingFor(accept).encode(outputs, rows, Object.keys(outputs)).toString('latin1');

  test('is rows of outputs in JSON by default', () => {
    const text =
      '{"predictions":[{"label":0,"probability":0.25,"name":"on \\"time\\""},{"label":1152921504606846976,"probability":null,"name":"a,b"}]}';
    for (const accept of [undefined, '*/*', 'application/json', 'text/html, application/json;q=0.9']) expect(write(accept)).toBe(text);
  });

  test('is lines of JSON, or CSV, where that is accepted', () => {
    expect(write('application/jsonlines').split('\n')).toHaveLength(2);
    expect(write('text/csv')).toBe('0,0.25,"on ""time"""\n1152921504606846976,NaN,"a,b"\n');
  });

  test('has the outputs in the order of the graph, whatever their names', () => {
    const named = (value: number) => ({ type: 'float32', data: new Float32Array([value]), dims: [1], location: 'cpu' }) as const;
    const numbered = { 10: named(0.25), 2: named(0.75) };
    const as = (accept: string) => encodingFor(accept).encode(numbered, 1, ['10', '2']).toString();
    expect(as('text/csv')).toBe('0.25,0.75\n');
    expect(as('application/jsonlines')).toBe('{"10":0.25,"2":0.75}');
  });

  test('has no blank line in CSV, which readers pass over', () => {
    const names: Outputs = { name: { type: 'string', data: ['a', '', 'b'], dims: [3], location: 'cpu' } };
    expect(write('text/csv', names, 3)).toBe('a\n""\nb\n');
  });

  test('keeps the shape of outputs with several values a row', () => {
    const scores: Outputs = { scores: { type: 'float32', data: new Float32Array([1, 2, 3, 4]), dims: [2, 2], location: 'cpu' } };
    expect(write(undefined, scores)).toBe('{"predictions":[{"scores":[1,2]},{"scores":[3,4]}]}');
    expect(write('text/csv', scores)).toBe('1,2\n3,4\n');
    expect(write('application/x-npy', scores)).toContain("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }");
  });

  test('of float16 is numbers, and halves in NumPy', () => {
    const halves: Outputs = {
      x: { type: 'float16', data: new Uint16Array([0x3c00, 0x3800, 0x7c00, 0x0001]), dims: [2, 2], location: 'cpu' },
    };
    expect(write(undefined, halves)).toBe('{"predictions":[{"x":[1,0.5]},{"x":[null,5.960464477539063e-8]}]}');
    expect(write('text/csv', halves)).toBe('1,0.5\nInfinity,5.960464477539063e-8\n');
    const numpy = encodingFor('application/x-npy').encode(halves, 2, ['x']);
    expect(numpy.toString('latin1')).toContain("{'descr': '<f2', 'fortran_order': False, 'shape': (2, 2), }");
    expect([...numpy.subarray(-8)]).toEqual([0x00, 0x3c, 0x00, 0x38, 0x00, 0x7c, 0x01, 0x00]);
  });

  test('is columns where an output has no entry a row', () => {
    const mean: Outputs = { mean: { type: 'float32', data: new Float32Array([1.5]), dims: [], location: 'cpu' } };
    expect(write(undefined, mean)).toBe('{"outputs":{"mean":1.5}}');
  });

  test('cannot be had in every form', () => {
    expect(() => write('image/png')).toThrow('Accept "image/png" cannot be answered: accept application/json');
    expect(() => write('application/x-npy')).toThrow('the model has 3 outputs, application/x-npy holds one');
  });
});

describe('memory for tensors that is used call after call', () => {
  const layout = new Layout(FLIGHT);
  const memory = new TensorMemory();
  const made = (...rows: unknown[]) => layout.ofRows(rows, String, memory);

  test("holds each call's values, and nothing of a call before that was refused", () => {
    made(['UA', 5, 500], ['B6', 6, 600]);
    expect(() => made(['AA', 7, 700], ['DL', 'late', 800])).toThrow(BadRequest);
    const batch = made(['EV', 8, null], [null, 9, 900]);
    expect(values(batch, 'carrier')).toEqual({ data: ['EV', ''], dims: [2, 1] });
    expect(values(batch, 'hour')).toEqual({ data: [8n, 9n], dims: [2, 1] });
    expect(values(batch, 'distance')).toEqual({ data: [Number.NaN, 900], dims: [2, 1] });
  });

  test('gives as many rows as a call has, whatever the call before had', () => {
    const many = Array.from({ length: 1000 }, (_, hour) => ['UA', hour, hour / 2]);
    expect(values(made(...many), 'hour')).toEqual({ data: many.map(([, hour]) => BigInt(hour as number)), dims: [1000, 1] });
    expect(values(made(['UA', 3, 4]), 'hour')).toEqual({ data: [3n], dims: [1, 1] });
  });
});
