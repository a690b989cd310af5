import { dangerous, type Judgement, judgeCall, judgeName, SAFE, unknown } from './names';

/** Activations, losses, metrics and the like, which Keras saves by their bare names (keras.io/api, its versions 2 and 3). */
const KERAS_FUNCTIONS = new Set(
  `
  binary_accuracy binary_crossentropy binary_focal_crossentropy categorical_accuracy categorical_crossentropy categorical_focal_crossentropy
  categorical_generalized_cross_entropy categorical_hinge celu circle concordance_correlation constant cosine_proximity cosine_similarity ctc
  dice elu exponential gelu glorot_normal glorot_uniform glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh he_normal he_uniform hinge
  huber identity kl_divergence kullback_leibler_divergence l1 l1_l2 l2 leaky_relu lecun_normal lecun_uniform linear log_cosh log_sigmoid
  log_softmax logcosh max_norm mean_absolute_error mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error
  min_max_norm mish non_neg ones orthogonal orthogonal_regularizer pearson_correlation poisson random_normal random_uniform relu relu6 selu
  sigmoid silu soft_shrink softmax softplus softsign sparse_categorical_accuracy sparse_categorical_crossentropy sparse_plus sparse_sigmoid
  sparse_top_k_categorical_accuracy sparsemax squared_hinge squareplus stft swish tanh tanh_shrink threshold top_k_categorical_accuracy
  truncated_normal tversky unit_norm variance_scaling zeros
  bce BCE kld KLD mae MAE mape MAPE mse MSE msle MSLE
`
    .trim()
    .split(/\s+/),
);

/** What Python has without an import, 2.7 to 3.14, but for exceptions and what site adds for a person at a prompt. */
const PYTHON_BUILTINS = new Set(
  `
  abs aiter all anext any apply ascii basestring bin bool breakpoint buffer bytearray bytes callable chr classmethod cmp coerce compile complex
  copyright credits delattr dict dir display divmod enumerate eval exec execfile exit file filter float format frozenset get_ipython getattr
  globals hasattr hash help hex id input int intern isinstance issubclass iter len license list locals long map max memoryview min next object
  oct open ord pow print property quit range raw_input reduce reload repr reversed round set setattr slice sorted staticmethod str sum super
  tuple type unichr unicode vars xrange zip
`
    .trim()
    .split(/\s+/),
);

/** Parts of Keras of which every function computes. */
const COMPUTES =
  /^(keras(\.src)?|tf_keras(\.src)?)\.(activations|losses|metrics|initializers|constraints|regularizers|ops|optimizers|random)(\.|$)/;

export interface KerasImport {
  readonly module: string;
  readonly name: string;
  /** Keras looks bare function names up among its own before it takes them for Python's. */
  readonly isFunction: boolean;
  /** It stands where a layer does, and is called with arguments of the file. */
  readonly isCalled: boolean;
}

/** Judges a name that Keras 3 looks up or imports (keras/src/saving/serialization_lib.py, `_retrieve_class_or_fn`, of all its versions). */
export function judgeKerasName({ module, name, isFunction, isCalled }: KerasImport): Judgement {
  if (module === 'builtins') return builtin(name, isFunction);
  const isOfKeras = /^(keras|tf_keras)(\.|$)/.test(module);
  const judged = isCalled ? judgeCall(module, name) : judgeName(module, name);
  if (isOfKeras && /^_*[A-Z]\w*$/.test(name) && judgeName(module, name).grade !== 'dangerous') return SAFE;
  if (COMPUTES.test(module) && /^(?!_)\w+$/.test(name) && !/^(de)?serialize$|^get$/.test(name)) return SAFE;
  return judged;
}

/** The file asks for a name of no module: one of Keras, one of Python, or one that is registered where the model is loaded. */
function builtin(name: string, isFunction: boolean): Judgement {
  if (isFunction && KERAS_FUNCTIONS.has(name)) return SAFE;
  if (PYTHON_BUILTINS.has(name) || name.startsWith('__')) return judgeName('builtins', name);
  return /^(function|type|NoneType|Ellipsis|ellipsis)$/.test(name)
    ? SAFE
    : unknown('it is registered where the model is loaded, or not at all');
}

/** Functions of TensorFlow by their public names, which the layers of a functional model call: `math.add`, `io.write_file`. */
export function judgeTensorflowName(given: string): Judgement {
  const name = given.replace(/^compat\.v[12]\./, '');
  if (REACHES_OUT.test(name) || judgeName('tensorflow', name).grade === 'dangerous') return dangerous('it loads, runs or reaches out');
  return COMPUTED.test(name) ? SAFE : unknown('a function that no list knows');
}

const REACHES_OUT =
  /^(io|gfile|saved_model|data|train|summary|profiler|autograph|distribute|lite|mlir|sysconfig|audio|estimator)\.|(^|\.)(print|Print|py_func\w*|numpy_function|load_\w+|function)$|^raw_ops\.\w*(File|Py|Print|Save|Restore|Read|Write|Debug|Rpc|Summary|Dataset)/;

const COMPUTED =
  /^((__operators__|math|nn|linalg|image|strings|signal|random|bitwise|sets|sparse|ragged|dtypes|keras\.backend)\.)?[a-z]\w*$/;
