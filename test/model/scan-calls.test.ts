import { BufferBytes } from '../../lib/model/formats/bytes';
import { scanFile } from '../../lib/model/scan';

/** Pickles of protocol 0 opcodes, put together by hand. */
const global = (module: string, name: string) => `c${module}\n${name}\n`;
const text = (value: string) => `V${value}\n`;
const call = (callee: string, ...args: string[]) => `${callee}(${args.join('')}tR`;
const list = (...values: string[]) => `(${values.join('')}l`;
const tuple = (...values: string[]) => `(${values.join('')}t`;
const builtin = (name: string) => global('builtins', name);
const attrgetter = global('operator', 'attrgetter');
const itemgetter = global('operator', 'itemgetter');
const partial = global('functools', 'partial');
const map = builtin('map');

const scan = (value: string) => scanFile(new BufferBytes(Buffer.from(`\x80\x02${value}.`, 'latin1')), 'model.pkl');

/** `os.system` by nothing but harmless names: from a function's globals, which hold the module. */
const system = call(
  map,
  call(attrgetter, text('system')),
  call(map, call(itemgetter, text('os')), call(map, call(attrgetter, text('__init__.__globals__')), list(global('logging', 'Logger')))),
);

describe('code that is reached by harmless names alone', () => {
  test('is dangerous, as the whole chain and as each of its links', () => {
    const args = call(builtin('tuple'), call(global('itertools', 'chain'), system, list(list(text('id')))));
    expect(scan(`${call(builtin('list'), `${map}${args}R`)}`).grade).toBe('dangerous');
    expect(scan(system).grade).toBe('dangerous');
    expect(scan(call(attrgetter, text('__init__.__globals__'))).findings).toContainEqual(
      expect.objectContaining({ code: 'pickle-call', name: 'operator.attrgetter', call: "operator.attrgetter('__init__.__globals__')" }),
    );
  });

  test.each([
    ['attributes that are computed', call(attrgetter, call(builtin('str'), text('x')))],
    ['attrgetter, handed on', call(map, attrgetter, list(text('__init__.__globals__')))],
    ['attrgetter, handed on after it was called', `${attrgetter}q\x01${tuple(text('name'))}R0${call(map, 'h\x01', list(text('x')))}`],
    ['attrgetter in a list of a hundred', call(builtin('list'), list(...Array.from({ length: 100 }, () => 'N'), attrgetter))],
    ['attrgetter by a partial', call(partial, attrgetter, text('__globals__'))],
    ['attrgetter by a library that imports it', call(global('sklearn.utils.metaestimators', 'attrgetter'), text('__globals__'))],
    ['attrgetter by copyreg', call(global('copyreg', '__newobj__'), attrgetter, text('__globals__'))],
    ['a frame', call(attrgetter, text('gi_frame.f_back'))],
    ['a module of a module', call(attrgetter, text('utils.os'))],
    ['an item of the interpreter', call(itemgetter, text('__builtins__'))],
    ["a function's inside, by another function", call(global('pandas.core.common', 'pipe'), list(), text('__globals__'))],
    ["numpy's way to import by two texts", call(global('numpy.core', '_ufunc_reconstruct'), text('os'), text('system'))],
    ['a name in two texts for any function', call(global('sklearn.utils', 'find'), text('os'), text('system'))],
    ['what attrgetter has made, called', call(call(attrgetter, text('name')), list())],
    ['what attrgetter has made, called by a partial', call(call(partial, call(attrgetter, text('system'))), list())],
    ['a class of a library that starts a process', call(global('sklearn.utils', 'Popen'), text('id'))],
    ['methodcaller by a library that imports it', call(global('pandas.core.common', 'methodcaller'), text('x'))],
  ])('%s', (_, value) => expect(scan(value).grade).toBe('dangerous'));

  test('bytes that torch unpickles, whatever they begin with', () => {
    const payload = "cos\nsystem\n(S'id'\ntR.";
    const bytes = `B${String.fromCharCode(payload.length)}\0\0\0${payload}`;
    expect(scan(`${global('torch.storage', '_load_from_bytes')}${bytes}\x85R`).grade).toBe('dangerous');
  });
});

describe('what is called cannot be followed', () => {
  const built = call(builtin('list'), list(text('x')));
  test.each([
    ['the result of a call, called', call(built, text('x'))],
    ['by map', call(map, built, list(text('x')))],
    ["by map under Python 2's name", call(global('itertools', 'imap'), built, list(text('x')))],
    ['by filter', call(builtin('filter'), built, list())],
    ['by iter with a sentinel', call(builtin('iter'), built, 'N')],
    ['by starmap', call(global('itertools', 'starmap'), built, list())],
    ['by accumulate', call(global('itertools', 'accumulate'), list(), built)],
    ['by groupby', call(global('itertools', 'groupby'), list(), built)],
    ['by takewhile', call(global('itertools', 'takewhile'), built, list())],
    ['by defaultdict', call(global('collections', 'defaultdict'), built)],
    ['by a partial', call(partial, built)],
    ["by a partial's state", `${call(partial, builtin('list'))}${tuple(built, tuple(), '}', 'N')}b`],
    ['by a partial of map', call(partial, map, built)],
    ['by a partial of map, called', call(call(partial, map), built, list())],
    ['by copyreg', call(global('copyreg', '__newobj__'), map, built, list())],
    ['by NEWOBJ', `${map}${tuple(built, list())}\x81`],
    ['by a keyword', `${global('itertools', 'accumulate')}${tuple(list())}}${text('func')}${built}s\x92`],
    ['by numpy', call(global('numpy', 'apply_along_axis'), built, 'K\x00', list())],
    ['by numpy, vectorised', call(global('numpy', 'vectorize'), built)],
    ['by torch, which rebuilds a subclass', call(global('torch._tensor', '_rebuild_from_type_v2'), built, builtin('list'), tuple(), 'N')],
    ['when an object dies', call(global('weakref', 'ref'), builtin('set'), built)],
    ['by a class that is made', call(builtin('type'), text('X'), tuple(), '}')],
    ['map, handed on', call(map, map, list())],
  ])('%s: unknown at least', (_, value) => expect(scan(value).grade).toBe('unknown'));
});

describe('what models really hold', () => {
  test.each([
    ['a dictionary with a factory', call(global('collections', 'defaultdict'), builtin('list'))],
    ['a factory of such', call(global('collections', 'defaultdict'), call(partial, global('collections', 'defaultdict'), builtin('int')))],
    [
      'a partial, with its state',
      `${call(partial, global('numpy', 'clip'))}${tuple(global('numpy', 'clip'), tuple(), `}${text('a_min')}K\x00s`, 'N')}b`,
    ],
    ['a class made by a partial', `${call(partial, global('sklearn.linear_model._logistic', 'LogisticRegression'))})R`],
    ['attrgetter', call(attrgetter, text('coef_'), text('best_estimator_.coef_'))],
    ['itemgetter', call(itemgetter, text('name'), 'K\x01')],
    ['map of a class', call(map, builtin('str'), list('K\x01'))],
    ['filter of nothing', call(builtin('filter'), 'N', list('K\x01'))],
    ['the type of None', call(builtin('type'), 'N')],
    ['an iterator', `${call(builtin('iter'), list('K\x01'))}K\x00b`],
    ['a ufunc of old numpy', call(global('numpy.core', '_ufunc_reconstruct'), text('numpy.core._multiarray_umath'), text('log'))],
    [
      'a tensor of a subclass',
      call(
        global('torch._tensor', '_rebuild_from_type_v2'),
        global('torch._utils', '_rebuild_parameter'),
        global('torch.nn.parameter', 'Parameter'),
        tuple('N'),
        '}',
      ),
    ],
    [
      'an object of copyreg',
      call(global('copyreg', '_reconstructor'), global('sklearn.tree._classes', 'DecisionTreeClassifier'), builtin('object'), 'N'),
    ],
  ])('%s is safe', (_, value) => expect(scan(value).findings).toEqual([]));
});
