import {
  items,
  PickleCall,
  PickleDict,
  PickleGlobal,
  PicklePersistent,
  PickleSequence,
  PickleUnknown,
  type Value,
} from '../formats/pickle';
import { worst } from './grade';
import { canonical, dangerous, type Judgement, judgeCall, judgeName, SAFE, soundsHarmful, unknown } from './names';
import { STDLIB } from './stdlib';

/**
 * What calls do with what they are given: a name may be harmless, and call whatever it is handed, or walk attributes to what no name reaches.
 */

/** By name, the arguments that it calls, at once or once it is used. */
const CALLERS: Readonly<Record<string, readonly number[]>> = {
  'builtins.map': [0],
  'builtins.filter': [0],
  'builtins.property': [0, 1, 2],
  'builtins.classmethod': [0],
  'builtins.staticmethod': [0],
  'collections.defaultdict': [0],
  'functools.partial': [0],
  'functools.reduce': [0],
  'itertools.accumulate': [1],
  'itertools.dropwhile': [0],
  'itertools.filterfalse': [0],
  'itertools.groupby': [1],
  'itertools.starmap': [0],
  'itertools.takewhile': [0],
  'weakref.ref': [1],
  'numpy.vectorize': [0],
  'numpy.frompyfunc': [0],
  'numpy.apply_along_axis': [0],
  'numpy.apply_over_axes': [0],
  'numpy.fromfunction': [0],
  'numpy.piecewise': [2],
};

/** Keywords by which those take what they call. */
const CALLED_KEYWORDS = /^(func|function|key|default_factory|fget|fset|fdel|pyfunc|func1d|predicate|callback)$/;

/** Makes a class of a name, bases and a dictionary. */
const METACLASS = /^(builtins\.type|abc\.ABCMeta|enum\.(EnumMeta|EnumType|Enum|Flag|IntEnum|IntFlag|StrEnum))$/;

const GETTERS = /^operator\.(attrgetter|itemgetter)$/;
const UFUNC = /^numpy\._?core\._ufunc_reconstruct$/;
/** Functions and classes that carry code of the file's own. */
const MAKES_CODE =
  /\._make_function$|_make_skel_func$|\._create_function$|^types\.(Function|Lambda)Type$|^builtins\.(getattr|eval|exec|compile)$/;

/** Attributes and keys by which code is run, or that lead to a frame. */
const EXECUTES =
  /^(eval|exec\w*|system|popen\d?|spawn\w*|fork\w*|check_(call|output)|getoutput|loads?|import_module|modules|subprocess|(gi|cr|ag|tb)_\w+|f_(back|globals|locals|builtins|code)|func_\w+|im_func)$/;
const DUNDER = /(^|\.)__\w*($|\.)/;
/** Names that hand out the interpreter's inside, in texts that any call is given. */
const INSIDE = /(^|\.)__(globals|builtins|subclasses|import|getattribute|code|closure|mro|bases|loader)__($|\.)/;

const MOST_ARGUMENTS = 256;
const DEEPEST = 16;

/** How a name counts that is not called but handed on, to be called with what cannot be followed; undefined for most. */
export function handedOn(global: PickleGlobal): Judgement | undefined {
  const path = canonical(global);
  if (path === 'builtins.getattr' || path === 'operator.attrgetter') return dangerous('handed on, it can reach anything');
  if (path === 'torch.storage._load_from_bytes' || UFUNC.test(path)) return dangerous('handed on, it loads whatever it is given');
  const spreads =
    path === 'operator.itemgetter' || path === 'builtins.iter' || path === 'builtins.type' || /^copyreg\.__newobj(_ex)?__$/.test(path);
  // a factory for dictionaries, and what models store of classes, is nothing that was hidden
  const calls = Object.hasOwn(CALLERS, path) && path !== 'collections.defaultdict' && path !== 'builtins.property';
  return spreads || calls ? unknown('handed on, it can call or reach what cannot be followed') : undefined;
}

/** Judges what a call does with its arguments, through whatever it is called by. Says nothing of the callee's own name. */
export function judgeWork({ callee, args, keywords }: PickleCall): Judgement {
  return judgeApplied(callee, items(args), pairs(keywords), 0);
}

/** Judges what is called later: the function of a partial, a factory, a key. */
export function judgeCallable(value: Value | undefined, depth = 0): Judgement {
  if (value instanceof PickleGlobal) return judgeCall(value.module, value.name);
  if (value instanceof PickleUnknown || value instanceof PicklePersistent) return unknown('what it calls cannot be known');
  if (!(value instanceof PickleCall)) return SAFE;
  const path = calleeName(value);
  if (GETTERS.test(path)) return SAFE;
  if (path === 'functools.partial' && depth < DEEPEST) {
    const { args, callable } = partialOf(value);
    return worse(judgeCallable(callable, depth + 1), judgeApplied(callable, args, [], depth + 1));
  }
  return MAKES_CODE.test(path) ? dangerous(`it calls what ${path} has made`) : unknown('it calls what the pickle has built itself');
}

function judgeApplied(
  callee: Value | undefined,
  args: readonly Value[],
  keywords: readonly (readonly [Value, Value])[],
  depth: number,
): Judgement {
  if (depth > DEEPEST) return unknown('calls stand in one another too deep to be followed');
  if (callee instanceof PickleCall) return judgeResult(callee, args, keywords, depth);
  if (!(callee instanceof PickleGlobal)) return SAFE;
  const path = canonical(callee);
  const through = indirect(path, args);
  if (through !== undefined) {
    return through
      .map(([made, given]) => worse(judgeCallable(made, depth + 1), judgeApplied(made, given, [], depth + 1)))
      .reduce(worse, SAFE);
  }
  if (path === 'operator.attrgetter') return judgeAttributes(args);
  if (path === 'operator.itemgetter') return judgeItems(args);
  if (UFUNC.test(path))
    return typeof args[0] === 'string' && typeof args[1] === 'string' ? judgeName(args[0], args[1]) : dangerous('the name is computed');
  if (METACLASS.test(path)) return judgeClass(path, args);
  if (path === 'functools.partial')
    return worse(judgeCallable(args[0], depth + 1), judgeApplied(args[0], args.slice(1, MOST_ARGUMENTS), keywords, depth + 1));
  const positions = path === 'builtins.iter' && args.length > 1 ? [0] : Object.hasOwn(CALLERS, path) ? CALLERS[path]! : undefined;
  if (positions === undefined) return judgeTexts(callee, args);
  const called = positions.flatMap((position) =>
    args[position] instanceof PickleSequence ? items(args[position]).slice(0, MOST_ARGUMENTS) : [args[position]],
  );
  const named = keywords.filter(([key]) => typeof key === 'string' && CALLED_KEYWORDS.test(key)).map(([, value]) => value);
  return [...called, ...named].map((value) => judgeCallable(value, depth + 1)).reduce(worse, SAFE);
}

/** The result of one call is called. */
function judgeResult(callee: PickleCall, args: readonly Value[], keywords: readonly (readonly [Value, Value])[], depth: number): Judgement {
  const path = calleeName(callee);
  if (path === 'functools.partial') {
    const { args: first, callable } = partialOf(callee);
    const given = [...first, ...args.slice(0, MOST_ARGUMENTS)];
    return worse(judgeCallable(callable, depth + 1), judgeApplied(callable, given, keywords, depth + 1));
  }
  if (MAKES_CODE.test(path) || path === 'operator.attrgetter' || path === 'operator.methodcaller')
    return dangerous(`it calls what ${path} has made`);
  return unknown('it calls what it has built itself');
}

/** copyreg's ways to make an object, and torch's to rebuild one of a subclass, are calls of what they are given. */
function indirect(path: string, args: readonly Value[]): [made: Value | undefined, given: readonly Value[]][] | undefined {
  if (path === 'copyreg.__newobj__') return [[args[0], args.slice(1, MOST_ARGUMENTS)]];
  if (path === 'copyreg.__newobj_ex__') return [[args[0], items(args[1])]];
  if (path === 'copyreg._reconstructor') return [args[0], args[1]].map((made) => [made, args.slice(2, 3)]);
  if (/^torch\._(tensor|utils)\._rebuild_from_type(_v2)?$/.test(path)) return [[args[0], items(args[2])]];
  return undefined;
}

/** What a partial calls, as it was made, or as its state sets it anew. */
function partialOf(call: PickleCall): { callable: Value | undefined; args: readonly Value[] } {
  const state = items(call.state);
  if (state.length > 0) return { callable: state[0], args: items(state[1]).slice(0, MOST_ARGUMENTS) };
  const [callable, ...args] = items(call.args).slice(0, MOST_ARGUMENTS);
  return { callable, args };
}

function judgeAttributes(paths: readonly Value[]): Judgement {
  if (paths.length > MOST_ARGUMENTS) return unknown('it reaches for more attributes than could be looked at');
  return paths.map(judgeAttribute).reduce(worse, SAFE);
}

function judgeAttribute(path: Value): Judgement {
  if (typeof path !== 'string') return dangerous('the attribute that it reaches for is computed');
  const parts = path.split('.');
  if (DUNDER.test(path) || parts.some((part) => EXECUTES.test(part))) return dangerous(`it reaches for ${path}`);
  const found = parts.filter((part) => STDLIB.has(part) || soundsHarmful(part));
  if (found.length === 0) return SAFE;
  return parts.length > 1 ? dangerous(`it reaches for ${path}`) : unknown(`it reaches for ${path}`);
}

function judgeItems(keys: readonly Value[]): Judgement {
  if (keys.length > MOST_ARGUMENTS && keys.some((key) => typeof key === 'string'))
    return unknown('it reaches for more items than could be looked at');
  return keys.slice(0, MOST_ARGUMENTS).map(judgeKey).reduce(worse, SAFE);
}

function judgeKey(key: Value): Judgement {
  if (typeof key !== 'string')
    return key instanceof PickleUnknown || key instanceof PickleGlobal ? unknown('the item that it reaches for is computed') : SAFE;
  if (DUNDER.test(key) || EXECUTES.test(key)) return dangerous(`it reaches for ${key}`);
  return /^(os|sys|posix|nt|builtins|subprocess|importlib|runpy|pty|ctypes|socket|shutil)$/.test(key)
    ? unknown(`it reaches for ${key}`)
    : SAFE;
}

/** `type(None)` is how the type of None is pickled. */
function judgeClass(path: string, args: readonly Value[]): Judgement {
  if (path.startsWith('enum.') && !/Meta$|Type$/.test(path) && args.length < 2) return SAFE;
  const [only] = args;
  if (args.length === 1 && (only === null || only instanceof PickleGlobal)) return SAFE;
  return unknown('it makes a class, or takes one of what it has built');
}

/** A name or an attribute in the texts that a function is given, which it may look up. */
function judgeTexts(callee: PickleGlobal, args: readonly Value[]): Judgement {
  const inside = args.slice(0, 8).find((text) => typeof text === 'string' && INSIDE.test(text));
  if (inside !== undefined && judgeName(callee.module, callee.name).grade === 'safe') return dangerous(`it is handed ${String(inside)}`);
  const [module, name] = args;
  if (args.length !== 2 || typeof module !== 'string' || typeof name !== 'string' || !/^_*[a-z]/.test(callee.name)) return SAFE;
  const names = STDLIB.has(module.split('.')[0]!) && EXECUTES.test(name) && judgeName(module, name).grade === 'dangerous';
  return names ? dangerous(`it is handed the name of ${module}.${name}`) : SAFE;
}

function pairs(keywords: Value | undefined): (readonly [Value, Value])[] {
  if (!(keywords instanceof PickleDict)) return [];
  const entries = (keywords.entries ?? []).slice(0, 2 * MOST_ARGUMENTS);
  return Array.from({ length: Math.floor(entries.length / 2) }, (_, i) => [entries[2 * i]!, entries[2 * i + 1]!] as const);
}

function calleeName({ callee }: PickleCall): string {
  return callee instanceof PickleGlobal ? canonical(callee) : '';
}

function worse(a: Judgement, b: Judgement): Judgement {
  return worst([a.grade, b.grade]) === a.grade ? a : b;
}
