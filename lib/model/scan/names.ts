import type { Grade } from './grade';
import { STDLIB, translated } from './stdlib';

export interface Judgement {
  readonly grade: Grade;
  /** Why, for a person. */
  readonly why: string;
}

export const SAFE: Judgement = { grade: 'safe', why: 'known to be harmless' };
export const dangerous = (why: string): Judgement => ({ grade: 'dangerous', why });
export const unknown = (why: string): Judgement => ({ grade: 'unknown', why });

/** What of the standard library a model may hold. Whatever of it is not here is dangerous: no model needs it. */
const STDLIB_SAFE: Readonly<Record<string, string>> = {
  builtins:
    'bool bytearray bytes classmethod complex dict enumerate Ellipsis filter float frozenset int iter list map memoryview NoneType NotImplemented object property range reversed set slice staticmethod str tuple type zip',
  __builtin__: 'object',
  collections: 'ChainMap Counter OrderedDict UserDict UserList UserString defaultdict deque',
  'collections.abc': '*',
  copyreg: '__newobj__ __newobj_ex__ _reconstructor',
  datetime: 'date datetime time timedelta timezone tzinfo',
  decimal: 'Decimal',
  fractions: 'Fraction',
  functools: 'partial',
  itertools: '*',
  operator: 'add and_ attrgetter contains eq floordiv ge gt itemgetter le lt matmul mod mul ne neg not_ or_ pos pow sub truediv xor',
  math: '*',
  cmath: '*',
  _codecs: 'encode',
  io: 'BytesIO StringIO',
  _io: 'BytesIO StringIO',
  argparse: 'Namespace',
  types: 'SimpleNamespace MappingProxyType GenericAlias NoneType EllipsisType UnionType',
  pathlib: 'Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath',
  'pathlib._local': 'Path PosixPath PurePath PurePosixPath PureWindowsPath WindowsPath',
  re: '_compile compile Pattern RegexFlag',
  array: 'array _array_reconstructor',
  random: 'Random',
  uuid: 'UUID SafeUUID',
  enum: 'Enum EnumMeta EnumType Flag IntEnum IntFlag StrEnum auto',
  logging: 'getLogger Logger',
  inspect: '_empty _ParameterKind Parameter Signature',
  typing:
    'Any Callable Dict FrozenSet Generic Iterable List Literal Mapping NamedTuple Optional Sequence Set Tuple Type TypeVar Union _GenericAlias _SpecialForm',
  dataclasses: 'Field MISSING _MISSING_TYPE _HAS_DEFAULT_FACTORY_CLASS',
  numbers: '*',
  abc: 'ABC ABCMeta',
  time: 'struct_time',
  zoneinfo: 'ZoneInfo',
  weakref: 'ref WeakKeyDictionary WeakSet WeakValueDictionary',
  ipaddress: '*',
};

/** Of the standard library, harmless by itself and of no use to a model: a sign of something hidden. */
const STDLIB_ODD: Readonly<Record<string, string>> = {
  base64: '*',
  binascii: '*',
  _codecs: 'decode',
  codecs: 'encode decode',
  zlib: 'compress decompress',
  collections: 'namedtuple',
  hashlib: '*',
  string: 'Template Formatter',
  struct: 'pack unpack',
  contextlib: 'nullcontext',
  types: 'MethodType',
  operator: 'getitem concat',
  json: 'loads dumps JSONEncoder JSONDecoder',
  builtins:
    'abs all any ascii bin chr divmod format hash hex id isinstance issubclass len max min next oct ord pow repr round sorted sum super',
  textwrap: '*',
  difflib: '*',
  calendar: '*',
  colorsys: '*',
  statistics: '*',
  secrets: '*',
  threading: 'Lock RLock local Event',
  _thread: 'RLock lock',
  queue: 'Queue',
};

/** Packages of which every class and function counts as harmless but for those that the words below name. */
const TRUSTED =
  /^(numpy|scipy|sklearn|imblearn|pandas|xgboost|lightgbm|catboost|_catboost|joblib|torchvision\.(models|ops|transforms)|torch\.(nn|optim|distributions|_tensor|_utils|storage|ao\.(nn|quantization)|quantization|_C|utils\.data)|keras|tf_keras|transformers|accelerate|tokenizers|peft|sentence_transformers|safetensors|huggingface_hub|diffusers|timm|pytorch_lightning|lightning|lightning_fabric|omegaconf|category_encoders|feature_engine|statsmodels|mlxtend|skops|skorch|sklearn_pandas|onnx|tensorflow\.python\.(keras|framework|trackable|util)|thinc|spacy|gensim|nltk|implicit|surprise|umap|hdbscan|pynndescent|ngboost|interpret|econml|dtreeviz|networkx|shapely|dateutil|pytz|attr|attrs|pydantic|polars|pyarrow|yacs|easydict|addict|ml_dtypes|jax|jaxlib|flax|optax|chex|haiku)(\.|$)/;

/** Of these a class is trusted, a function is not known. */
const CLASSES_ONLY =
  /^(transformers|accelerate|peft|sentence_transformers|huggingface_hub|diffusers|timm|pytorch_lightning|lightning|lightning_fabric|omegaconf|keras|tf_keras|tensorflow|torchvision|torch\.utils|joblib|statsmodels|spacy|thinc|gensim|nltk|networkx|pydantic|polars|pyarrow|jax|jaxlib|flax|optax|chex|haiku|onnx|skops|attr|attrs)(\.|$)/;

/** Parts of trusted packages that run code, start processes, reach files or the network. */
const NOT_TRUSTED =
  /(^|\.)(testing|_testing|tests?|f2py|distutils|ctypeslib|_?cpp_extension|hub|_inductor|_dynamo|compiler|package|distributed|collect_env|bottleneck|cli|commands|scripts|io|_io|npyio|datasets?|externals|fetchers?|downloads?|tools|agents|pipelines|dynamic_module_utils|import_utils|_config_module|_lazy|computation|parallel_backends|_parallel_backends|executor|pool|process_executor|numexpr|sandbox|plugins?|callbacks|deploy|launchers?|launch|rpc|multiprocessing|model_zoo|file_utils|io_utils|web|server|remote|notebook|jupyter|IPython|build|setup|conftest|debug|profiler|tensorboard|codegen|jit)(\.|$)/;

/** Functions that build, load, run or fetch, whatever package they are in. */
const DOES_HARM =
  /(^|_)(eval\w*|exec\w*|run\w*|system|popen\d?|spawn\w*|call|check_(call|output)|getoutput|getstatusoutput|shell|command|cmd|import\w*|compile\w*|loads?|load_\w+|from_pretrained|lookfor|add_newdocs?|make_dirs\w*|unpickle|unserialize|open\w*|read_\w+|write\w*|save\w*|dump\w*|fetch\w*|download\w*|upload\w*|urlopen|request|get_file|fromfile|from_file|tofile|loadtxt|genfromtxt|memmap|invoke|trace|debug|profile|breakpoint|globals|locals|vars|getattr|setattr|delattr|getattribute|__import__|apply|start|connect|listen|send|recv|remove|unlink|rmtree|mkdir|chmod|rename|kill|exit|fork)$/;

/** Classes that start, open or load something once they are made; libraries have them among their own names. */
const ACTS =
  /^(_?Popen|CDLL|PyDLL|WinDLL|OleDLL|Unpickler|_Unpickler|NumpyUnpickler|FileIO|ZipFile|TarFile|FTP\w*|SMTP\w*|Telnet|TemporaryDirectory|HDFStore|ExcelWriter|ExcelFile|methodcaller|DataSource|PyTorchFile(Reader|Writer)|BinaryZlibFile|PrintTime|OSFile|MemoryMappedFile|ParquetWriter|Repository|RabitTracker|Lazy(Loader|Module)|TFSMLayer|DistributedRuntimeClient|(Quantile)?DMatrix|Pool)$/;

/** Third-party modules that no model needs to be loaded, and an attacker likes. */
const HOSTILE =
  /^(fickling|modelscan|picklescan|modelaudit\w*|model_unpickler|saferpickle|pip|setuptools|pkg_resources|_distutils_hack|distutils|easy_install|pytest|_pytest|py|IPython|ipykernel|jupyter\w*|notebook|cffi|_cffi_backend|pexpect|ptyprocess|sh|plumbum|fabric|invoke|paramiko|requests|urllib3|httpx|httpcore|aiohttp|websocket\w*|psutil|win32\w*|pythoncom|comtypes|docker|boto3|botocore|jinja2|mako|werkzeug|django|flask|twisted|tornado|celery|gevent|sympy|numexpr|asteval|RestrictedPython|jsonpickle|ruamel|yaml|dill\._dill\._(import_module|eval_repr)|torch\.(hub|package|_inductor|_dynamo|distributed|jit|compiler|fx|cuda\._|utils\.(cpp_extension|collect_env|bottleneck|_config_module|_cpp_extension_versioner|model_zoo|file_baton|tensorboard|benchmark))|numpy\.(testing|f2py|distutils|ctypeslib|lib\.npyio)|scipy\.stats(\.\w+)*\._construct_argparser|pandas\.(io|core\.computation|core\.frame\.DataFrame\.(eval|query))|tensorflow\.python\.(ops\.script_ops|ops\.io_ops|lib\.io|platform)|uvicorn|gunicorn|test|_pyrepl|code|venv|pwn\w*|nmap|scapy|selenium|pyautogui|keyboard|pynput|wmi)(\.|$)/;

/** Ways round by attribute: `builtins` and the interpreter's own. */
const DUNDER =
  /(^|\.)__(builtins|globals|import|subclasses|getattribute|getattr|class|dict|code|loader|init|call|reduce\w*|bases|mro|closure|spec|main|new|setstate|get|set|enter|exit|del|self|func|wrapped|defaults|kwdefaults)__(\.|$)/;

/** Torch's names for element types, layouts and the like, which are values and no functions. */
const TORCH_VALUES =
  /^(float\d*|double|half|bfloat16|int\d*|uint\d+|long|short|char|bool|complex\d+|cfloat|cdouble|q\w?int\d+|float8_\w+|Size|device|dtype|layout|memory_format|strided|sparse_\w+|\w+_format|per_\w+|Tensor|Generator|ScriptObject|\w*Storage)$/;

/** Rebuilders that take bytes and are scanned with them. */
const REBUILDERS =
  /^(torch\.storage\._load_from_bytes|torch\.serialization\._get_layout|torch\.jit\._pickle\.(build_\w+|restore_type_tag)|(keras\.(src\.)?|tf_keras\.src\.|keras\.)saving\.(pickle_utils|legacy\.saved_model\.\w+)\.deserialize_model_from_bytecode|keras\.(src\.)?saving\.keras_saveable\.KerasSaveable\._unpickle_model|torch\._utils\._rebuild\w+|torch\._tensor\._rebuild\w+|torch\.nn\.parameter\._\w+|joblib\.numpy_pickle\.(NumpyArrayWrapper|NDArrayWrapper|ZNDArrayWrapper))$/;

/** Builders of functions and classes from code that the pickle carries: harmless until it is called. */
const CARRIES_CODE =
  /^(cloudpickle(\.cloudpickle(_fast)?)?|joblib\.externals\.cloudpickle(\.cloudpickle(_fast)?)?|dill\._dill|dill)\.(_make_\w+|_fill_function|_builtin_type|_class_setstate|_function_setstate|_empty_cell_value|_cell_set|_get_bases|_lookup_class_or_track|_create_\w+|_load_type|_setitems|_get_attr|_make_skel_func|_make_empty_cell|subimport|dynamic_subimport|_shims\.\w+)$/;

/** Words in the names of functions that packages give their pickles, to be built again by. */
const BUILDS = /^(_|from_|make|create|build|new|empty|wrap|decode|convert)|pickle|rebuild|reconstruct|restore/i;

/**
 * Judges a name that a model would call, and not only hold. A class that no list knows may well be a model's own; a public function that is
 * called while loading is none of it.
 */
export function judgeCall(module: string, name: string): Judgement {
  const judgement = judgeName(module, name);
  const last = name.split('.').at(-1)!;
  const isFunction =
    /^[a-z]/.test(last) &&
    (!BUILDS.test(last) || soundsHarmful(last)) &&
    !listedIn(STDLIB_ODD, module, name) &&
    module !== 'copyreg extension';
  if (judgement.grade === 'unknown' && isFunction) return dangerous('a function that no list knows, and that builds no part of a model');
  return judgement;
}

/**
 * Judges one name that a model would import. Default deny: what no list knows is `unknown`, and whatever of Python's own library a model
 * does not need is `dangerous`.
 */
export function judgeName(givenModule: string, givenName: string): Judgement {
  const key = `${givenModule}\n${givenName}`;
  const known = judged.get(key);
  if (known !== undefined) return known;
  const judgement = judge(givenModule, givenName);
  if (judged.size >= MOST_JUDGED) judged.clear();
  judged.set(key, judgement);
  return judgement;
}

/** Whether an attribute's name is one by which things are run, loaded or reached. */
export function soundsHarmful(name: string): boolean {
  return DOES_HARM.test(name);
}

/** What libraries import from Python's own, and have among their own names. */
const REEXPORTED: Readonly<Record<string, string>> = {
  attrgetter: 'operator',
  itemgetter: 'operator',
  methodcaller: 'operator',
  partial: 'functools',
  reduce: 'functools',
  accumulate: 'itertools',
  dropwhile: 'itertools',
  filterfalse: 'itertools',
  groupby: 'itertools',
  starmap: 'itertools',
  takewhile: 'itertools',
  defaultdict: 'collections',
};

/** A name as `module.name`, whatever module it is taken from: that of Python's own library for what libraries import from there. */
export function canonical(global: { readonly module: string; readonly name: string }): string {
  const { module, name } = translated(global.module, global.name);
  const origin = Object.hasOwn(REEXPORTED, name) && !STDLIB.has(module.split('.')[0]!) ? REEXPORTED[name]! : module;
  return `${origin}.${name}`;
}

/** Models name the same few things thousands of times. */
const judged = new Map<string, Judgement>();
const MOST_JUDGED = 10_000;

function judge(givenModule: string, givenName: string): Judgement {
  const { module, name } = resolved(givenModule, givenName);
  const path = `${module}.${name}`;
  if (module === '?' || name === '?') return dangerous('the name is computed while it is loaded');
  if (module === 'copyreg extension') return unknown('a number of the extension registry stands for a name');
  if (module.startsWith('__torch__')) return SAFE;
  const listed = listedIn(STDLIB_SAFE, module, name);
  if (listed || REBUILDERS.test(path)) return SAFE;
  if (/^(builtins|exceptions)$/.test(module) && /(Error|Exception|Warning|StopIteration|KeyboardInterrupt|SystemExit)$/.test(name))
    return SAFE;
  if (DUNDER.test(path)) return dangerous('it reaches into the interpreter');
  if (HOSTILE.test(`${module}.`) || HOSTILE.test(path)) return dangerous('no model needs it, and it runs code, processes or the network');
  if (listedIn(STDLIB_ODD, module, name)) return unknown('harmless by itself, and of no use to a model');
  const [top = ''] = module.split('.');
  if (/^_(?!catboost$|_main__$|cffi)/.test(top)) return dangerous('it is a private module of Python or of a library');
  if (STDLIB.has(top)) return dangerous("it is of Python's own library, and no model needs it");
  if (CARRIES_CODE.test(path)) return unknown('it builds a function or a class from code that the file carries');
  return thirdParty(top, module, name, path);
}

function thirdParty(top: string, module: string, name: string, path: string): Judgement {
  if (module === 'torch') return torchValue(name);
  const last = name.split('.').at(-1)!;
  const isClass = /^_*[A-Z]/.test(last);
  if (TRUSTED.test(module) && !NOT_TRUSTED.test(module)) {
    if (STDLIB.has(name) || /\./.test(name))
      return STDLIB.has(name) ? dangerous('it is a module of Python, reached through another') : unknown('an attribute of a class');
    if (/^__pyx_unpickle_\w+$|^__\w+_ctor$/.test(name)) return SAFE;
    if (ACTS.test(name)) return dangerous('it opens, starts or loads something once it is made');
    if (DOES_HARM.test(name) && !isClass) return dangerous('by its name it loads, runs or reaches out');
    if (isClass || !CLASSES_ONLY.test(module)) return SAFE;
    return top === 'torch' ? dangerous('a function of torch that rebuilds no tensor') : unknown('a function that no list knows');
  }
  if (DOES_HARM.test(last) && !isClass) return dangerous('by its name it loads, runs or reaches out');
  return unknown(
    TRUSTED.test(module)
      ? `${path} is of a part of its package that no model needs`
      : 'a class or function of a package that no list knows',
  );
}

function torchValue(name: string): Judgement {
  if (TORCH_VALUES.test(name)) return SAFE;
  if (STDLIB.has(name) || DOES_HARM.test(name) || /file/.test(name)) return dangerous('it loads, runs or reaches out');
  return /^[a-z_]+$/.test(name) && !name.startsWith('_') ? SAFE : unknown('a part of torch that no list knows');
}

/** A dotted name is an attribute of an attribute: the module before it is what counts. */
function resolved(givenModule: string, givenName: string): { module: string; name: string } {
  const { module, name } = translated(givenModule, givenName);
  const parts = name.split('.');
  // `pathlib os.system`: the first part is a module that the named one happens to import
  const at = parts.findIndex((part) => STDLIB.has(part) && part !== module.split('.')[0]);
  if (parts.length > 1 && at >= 0 && at < parts.length - 1) return { module: parts.slice(at, -1).join('.'), name: parts.at(-1)! };
  if (parts.length > 1 && !/^_*[A-Z]/.test(parts[0]!)) return { module: `${module}.${parts.slice(0, -1).join('.')}`, name: parts.at(-1)! };
  return { module, name };
}

function listedIn(list: Readonly<Record<string, string>>, module: string, name: string): boolean {
  const names = Object.hasOwn(list, module) ? list[module]! : undefined;
  return names !== undefined && (names === '*' ? !name.includes('.') && !name.startsWith('_') : names.split(' ').includes(name));
}
