"""Writes harmless models into a directory, each as its library saves it, as far as the libraries are installed where this runs.

    python make-benign.py DIRECTORY

scikit-learn (every estimator that fits a small table), XGBoost, LightGBM, CatBoost, ONNX, PyTorch, Hugging Face, Keras, TensorFlow, numpy,
pandas and scipy. Nothing here was written with the scanner's lists in view: each artifact is what `save`, `dump` and their like write.
"""

import importlib
import pathlib
import pickle
import sys
import warnings

warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
TAG = f"py{sys.version_info[0]}{sys.version_info[1]}"


def dump(name, value, protocol=None):
    (OUT / f"{TAG}-{name}.pkl").write_bytes(pickle.dumps(value, protocol=pickle.DEFAULT_PROTOCOL if protocol is None else protocol))


def attempt(*names):
    """Runs a section where its libraries are there; one artifact that a library cannot save is left out."""

    def run(section):
        try:
            libraries = [importlib.import_module(name) for name in names]
        except Exception as error:
            print(f"left out {section.__name__}: {error}", file=sys.stderr)
            return
        for number, make in enumerate(section(*libraries)):
            try:
                make()
            except Exception as error:
                print(f"left out {section.__name__} {number}: {type(error).__name__} {error}", file=sys.stderr)

    return run


@attempt()
def standard():
    import collections
    import datetime
    import decimal
    import uuid

    values = {
        "a": [1, 2.5, None, True, "text", b"bytes", (1, 2), {1, 2}, frozenset([3]), 10**30, -1],
        "o": collections.OrderedDict(a=1),
        "d": collections.defaultdict(list, x=[1]),
        "q": collections.deque([1, 2], maxlen=5),
        "c": collections.Counter("abracadabra"),
        "t": [datetime.datetime(2020, 1, 1), datetime.timedelta(3), datetime.timezone.utc],
        "n": decimal.Decimal("1.5"),
        "u": uuid.UUID(int=5),
        "p": pathlib.PurePosixPath("a/b"),
        "z": complex(1, 2),
    }
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        yield lambda protocol=protocol: dump(f"standard-{protocol}", values, protocol)
    # of the size that vocabularies and label maps have in use
    words = {f"word{number}": number for number in range(100_000)}
    yield lambda: dump("vocabulary", words)
    yield lambda: dump("labels", [{"id": number, "name": f"label {number}", "weight": number / 7} for number in range(30_000)], 2)


@attempt("numpy")
def arrays(np):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3))
    yield lambda: np.save(OUT / "array.npy", x)
    yield lambda: np.save(OUT / "objects.npy", np.array([{"a": 1}, [2], "x"], dtype=object))
    yield lambda: np.savez(OUT / "arrays.npz", x=x, y=x > 0)
    yield lambda: np.savez_compressed(OUT / "arrays-compressed.npz", x=x, s=np.array(["a", "b"]))
    yield lambda: dump("rng", rng)
    yield lambda: dump("randomstate", np.random.RandomState(3))
    yield lambda: dump("masked", np.ma.masked_array([1, 2, 3], mask=[0, 1, 0]))
    yield lambda: dump("scalars", [np.float32(1), np.int64(2), np.datetime64("2020-01-01"), np.bool_(True), np.log1p])
    yield lambda: dump("record", np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")]))


@attempt("pandas", "numpy")
def tables(pd, np):
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"], "t": pd.date_range("2020-01-01", periods=2), "c": pd.Categorical(["u", "v"])})
    yield lambda: dump("frame", frame)
    yield lambda: dump("series", frame.set_index("t").a)
    yield lambda: frame.to_pickle(OUT / "frame-gzip.pkl", compression="gzip")
    yield lambda: dump("multi", frame.set_index(["a", "b"]))
    yield lambda: dump("interval", pd.cut(pd.Series([1, 5, 9]), 3))


@attempt("scipy.sparse", "scipy.stats", "scipy.interpolate")
def scientific(sparse, stats, interpolate):
    yield lambda: dump("csr", sparse.random(20, 20, 0.1, format="csr"))
    yield lambda: dump("frozen", stats.norm(1, 2))
    yield lambda: dump("spline", interpolate.interp1d([1, 2, 3], [4, 5, 6]))
    yield lambda: sparse.save_npz(OUT / "sparse.npz", sparse.random(20, 20, 0.1, format="csr"))


@attempt("sklearn", "joblib", "numpy")
def estimators(sklearn, joblib, np):
    from sklearn.compose import ColumnTransformer
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
    from sklearn.utils import all_estimators

    rng = np.random.default_rng(0)
    x = np.abs(rng.normal(size=(60, 4)))
    y = (x[:, 0] > x[:, 1]).astype(int)
    methods = [0, 3, ("gzip", 3), ("bz2", 3), ("xz", 3), ("lzma", 3)]

    def fitted(index, name, kind):
        try:
            model = kind().fit(x, y)
        except Exception:
            model = kind()
        if index % 2:
            joblib.dump(model, OUT / f"{name}.joblib", compress=methods[(index // 2) % len(methods)])
        else:
            dump(name, model, [2, 3, 4, 5][(index // 2) % 4])

    for index, (name, kind) in enumerate(all_estimators()):
        yield lambda index=index, name=name, kind=kind: fitted(index, name, kind)
    columns = ColumnTransformer([("scale", StandardScaler(), [0, 1]), ("log", FunctionTransformer(np.log1p), [2])], remainder="passthrough")
    yield lambda: joblib.dump(make_pipeline(columns, LogisticRegression()).fit(x, y), OUT / "pipeline.joblib")
    yield lambda: joblib.dump(GridSearchCV(LogisticRegression(), {"C": [1, 2]}, scoring="roc_auc").fit(x, y), OUT / "grid.joblib")
    yield lambda: dump("text", make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(["late flight", "on time"] * 5, [1, 0] * 5))
    yield lambda: dump("onehot", OneHotEncoder(handle_unknown="ignore").fit(np.array([["a"], ["b"]], dtype=object)))
    documents = [" ".join(f"word{number % 40_000}" for number in range(start, start + 200)) for start in range(0, 60_000, 200)]
    yield lambda: dump("text-grown", make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LogisticRegression()).fit(documents, [0, 1] * (len(documents) // 2)))
    from sklearn.ensemble import RandomForestClassifier

    many = rng.normal(size=(4000, 10))
    yield lambda: joblib.dump(RandomForestClassifier(60).fit(many, many[:, 0] > 0), OUT / "forest-grown.joblib", compress=3)
    yield lambda: dump("forest-grown", RandomForestClassifier(60).fit(many, many[:, 0] > 0))
    yield lambda: dump("bundle", {"model": LogisticRegression().fit(x, y), "columns": ["a", "b"], "threshold": 0.5})


@attempt("xgboost", "numpy")
def xgboosts(xgboost, np):
    x = np.random.default_rng(0).normal(size=(60, 4))
    y = (x[:, 0] > 0).astype(int)
    for name, model in {"class": xgboost.XGBClassifier(n_estimators=3), "regress": xgboost.XGBRegressor(n_estimators=3), "forest": xgboost.XGBRFClassifier(n_estimators=3)}.items():
        model.fit(x, y)
        yield lambda name=name, model=model: dump(f"xgboost-{name}", model)
        yield lambda name=name, model=model: dump(f"xgboost-{name}-booster", model.get_booster())
        yield lambda name=name, model=model: model.save_model(OUT / f"xgboost-{name}.json")
        yield lambda name=name, model=model: model.save_model(OUT / f"xgboost-{name}.ubj")


@attempt("lightgbm", "numpy")
def lightgbms(lightgbm, np):
    x = np.random.default_rng(0).normal(size=(60, 4))
    y = (x[:, 0] > 0).astype(int)
    for name, model in {"class": lightgbm.LGBMClassifier(n_estimators=3, verbose=-1), "regress": lightgbm.LGBMRegressor(n_estimators=3, verbose=-1)}.items():
        model.fit(x, y)
        yield lambda name=name, model=model: dump(f"lightgbm-{name}", model)
        yield lambda name=name, model=model: dump(f"lightgbm-{name}-booster", model.booster_)
        yield lambda name=name, model=model: model.booster_.save_model(str(OUT / f"lightgbm-{name}.txt"))


@attempt("catboost", "numpy")
def catboosts(catboost, np):
    x = np.random.default_rng(0).normal(size=(60, 4))
    model = catboost.CatBoostClassifier(iterations=3, verbose=False, allow_writing_files=False).fit(x, (x[:, 0] > 0).astype(int))
    yield lambda: dump("catboost", model)
    yield lambda: model.save_model(str(OUT / "catboost.cbm"))
    yield lambda: model.save_model(str(OUT / "catboost.json"), format="json")


@attempt("skl2onnx", "onnx", "numpy")
def onnxes(skl2onnx, onnx, np):
    from sklearn.ensemble import GradientBoostingClassifier, RandomForestRegressor
    from sklearn.linear_model import LogisticRegression
    from sklearn.neural_network import MLPClassifier

    x = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(int)
    for kind in (LogisticRegression, GradientBoostingClassifier, RandomForestRegressor, MLPClassifier):
        yield lambda kind=kind: (OUT / f"{kind.__name__}.onnx").write_bytes(skl2onnx.to_onnx(kind().fit(x, y), x[:1]).SerializeToString())


@attempt("torch")
def torches(torch):
    from torch import nn

    nets = {
        "mlp": nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Dropout(0.1), nn.BatchNorm1d(8), nn.Linear(8, 2)),
        "conv": nn.Sequential(nn.Conv2d(1, 2, 3), nn.GELU(), nn.Flatten()),
        "lstm": nn.LSTM(4, 8, 2),
        "transformer": nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 1),
        "embedding": nn.Embedding(10, 4),
    }
    for name, net in nets.items():
        yield lambda name=name, net=net: torch.save(net.state_dict(), OUT / f"{name}-state.pt")
        yield lambda name=name, net=net: torch.save(net, OUT / f"{name}-whole.pt")
        yield lambda name=name, net=net: torch.save(net.state_dict(), OUT / f"{name}-legacy.pth", _use_new_zipfile_serialization=False)
        yield lambda name=name, net=net: torch.jit.script(net).save(OUT / f"{name}-script.pt")
    for kind in (torch.optim.Adam, torch.optim.SGD, torch.optim.RMSprop):
        optimizer = kind(nets["mlp"].parameters(), lr=0.1)
        schedule = torch.optim.lr_scheduler.StepLR(optimizer, 3)
        yield lambda kind=kind, optimizer=optimizer, schedule=schedule: torch.save({"model": nets["mlp"].state_dict(), "optimizer": optimizer.state_dict(), "schedule": schedule.state_dict(), "epoch": 3, "rng": torch.get_rng_state()}, OUT / f"checkpoint-{kind.__name__}.ckpt")
    import argparse

    yield lambda: torch.save({"args": argparse.Namespace(lr=0.1), "state": nets["mlp"].state_dict()}, OUT / "checkpoint-args.ckpt")
    for dtype in (torch.float16, torch.bfloat16, torch.int8, torch.complex64, torch.bool):
        yield lambda dtype=dtype: torch.save(torch.zeros(3, dtype=dtype), OUT / f"tensor-{str(dtype)[6:]}.pt")
    yield lambda: torch.save(torch.eye(3).to_sparse(), OUT / "tensor-sparse.pt")
    yield lambda: torch.save(nn.Parameter(torch.zeros(2)), OUT / "parameter.pt")
    yield lambda: torch.save({"size": torch.Size([1]), "device": torch.device("cpu"), "dtype": torch.float32}, OUT / "values.pt")
    yield lambda: dump("torch-module", nets["mlp"])
    yield lambda: dump("torch-tensor", torch.zeros(3))
    yield lambda: torch.save(torch.ao.quantization.quantize_dynamic(nets["mlp"], {nn.Linear}), OUT / "quantized.pt")
    yield lambda: torch.export.save(torch.export.export(nets["mlp"].eval(), (torch.zeros(2, 4),)), OUT / "exported.pt2")


# what current chat models write: the ChatML form, one with tools, one with guards
CHATML = (
    "{%- if tools %}{{- '<|im_start|>system\\n' }}{%- if messages[0].role == 'system' %}{{- messages[0].content + '\\n\\n' }}{%- endif %}"
    "{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}{%- endif %}{%- set ns = namespace(last=messages|length - 1) %}"
    "{%- for message in messages[::-1] %}{%- set index = (messages|length - 1) - loop.index0 %}{%- if message.role == 'user' and not(message.content.startswith('<tool>')) %}"
    "{%- set ns.last = index %}{%- endif %}{%- endfor %}{% for message in messages %}{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'].split('</think>')[-1].lstrip('\\n') | trim + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}{{ strftime_now('%d %B %Y') }}"
)


@attempt("transformers", "torch")
def pretrained(transformers, torch):
    def save(name, model):
        model.save_pretrained(OUT / name)

    small = dict(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=50, max_position_embeddings=32)
    yield lambda: save("hf-bert", transformers.BertModel(transformers.BertConfig(**small)))
    yield lambda: save("hf-llama", transformers.LlamaForCausalLM(transformers.LlamaConfig(**small)))
    yield lambda: save("hf-gpt2", transformers.GPT2LMHeadModel(transformers.GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50)))
    yield lambda: save("hf-t5", transformers.T5Model(transformers.T5Config(d_model=16, d_ff=16, num_layers=1, num_heads=2, vocab_size=50)))
    yield lambda: save("hf-vit", transformers.ViTModel(transformers.ViTConfig(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16)))
    bert = transformers.BertModel(transformers.BertConfig(**small))
    yield lambda: ((OUT / "hf-bin").mkdir(exist_ok=True), torch.save(bert.state_dict(), OUT / "hf-bin/pytorch_model.bin"))
    yield lambda: torch.save(transformers.TrainingArguments("out", report_to=[]), OUT / "training_args.bin")
    yield lambda: torch.save(transformers.BertConfig(**small), OUT / "config-object.pt")
    from tokenizers import Tokenizer, models

    def tokenizer():
        fast = transformers.PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.WordLevel({"a": 0, "[UNK]": 1}, "[UNK]")))
        fast.chat_template = CHATML
        fast.save_pretrained(OUT / "hf-tokenizer")
        dump("tokenizer", fast)

    yield tokenizer


@attempt("keras", "numpy")
def kerases(keras, np):
    from keras import layers

    def models():
        yield "dense", keras.Sequential([keras.Input((4,)), layers.Dense(3, activation="relu"), layers.Dropout(0.1), layers.Dense(1, activation="sigmoid")])
        yield "conv", keras.Sequential([keras.Input((8, 8, 1)), layers.Conv2D(2, 3), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(2)])
        yield "lstm", keras.Sequential([keras.Input((5, 3)), layers.Bidirectional(layers.LSTM(4)), layers.Dense(1)])
        inputs = keras.Input((4,))
        hidden = layers.Dense(4, kernel_regularizer="l2", kernel_initializer="he_normal")(inputs)
        yield "functional", keras.Model(inputs, layers.Add()([inputs, layers.LeakyReLU()(hidden)]))
        attended = layers.MultiHeadAttention(2, 4)(keras.Input((5, 4)), keras.Input((5, 4)))
        normalization = layers.Normalization()
        normalization.adapt(np.zeros((3, 4)))
        yield "normalised", keras.Sequential([keras.Input((4,)), normalization, layers.Dense(1)])
        yield "nested", keras.Sequential([keras.Input((4,)), keras.Sequential([layers.Dense(3), layers.Activation("gelu")]), layers.Dense(1)])

    for name, model in models():
        model.compile("adam", "mse", metrics=["mae"])
        yield lambda name=name, model=model: model.save(OUT / f"keras-{name}.keras")
        yield lambda name=name, model=model: model.save(OUT / f"keras-{name}.h5")
        yield lambda name=name, model=model: model.save_weights(OUT / f"keras-{name}.weights.h5")
        yield lambda name=name, model=model: model.export(OUT / f"keras-{name}-saved/1", verbose=False)
        yield lambda name=name, model=model: dump(f"keras-{name}", model)


@attempt("tensorflow")
def tensorflows(tf):
    class Scaled(tf.Module):
        def __init__(self):
            self.scale = tf.Variable(2.0)

        @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
        def __call__(self, x):
            return tf.cond(tf.reduce_sum(x) > 0, lambda: x * self.scale, lambda: x)

    yield lambda: tf.saved_model.save(Scaled(), str(OUT / "tf-module/1"))

    def lookup():
        class Lookup(tf.Module):
            def __init__(self):
                self.table = tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(["a", "b"], [1, 2]), -1)

            @tf.function(input_signature=[tf.TensorSpec([None], tf.string)])
            def __call__(self, x):
                return self.table.lookup(tf.strings.lower(x))

        tf.saved_model.save(Lookup(), str(OUT / "tf-lookup/1"))

    yield lookup
    yield lambda: (OUT / "model.tflite").write_bytes(tf.lite.TFLiteConverter.from_saved_model(str(OUT / "tf-module/1")).convert())


@attempt("safetensors.numpy", "numpy")
def safe(safetensors, np):
    yield lambda: safetensors.save_file({"w": np.zeros((3, 4), np.float32)}, OUT / "weights.safetensors")
