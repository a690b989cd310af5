"""Serves the handlers of a model's code/inference.py: GET /ping and POST /invocations on 127.0.0.1.

Usage: serve.py MODEL_DIRECTORY, the port in SAGEMAKER_BIND_TO_PORT. Needs nothing but Python 3.8; numpy where the default
decoders and encoders are used. The handlers are those of SageMaker's own containers: model_fn(model_dir), then transform_fn(model,
data, content_type, accept), or input_fn(data, content_type), predict_fn(data, model), output_fn(prediction, accept); each may
take a context as one argument more.
"""

import importlib
import inspect
import io
import json
import os
import signal
import sys
import threading
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
JSON, CSV, NPY, NPZ = "application/json", "text/csv", "application/x-npy", "application/x-npz"


class Refused(Exception):
    """A request that the default decoders or encoders cannot take."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Context:
    """What a handler may ask of its request and say about its answer, under the names that SageMaker's model server gives them."""

    def __init__(self, model_dir, headers=None):
        self.system_properties = {"model_dir": model_dir}
        self.model_name = "model"
        self.manifest = {}
        self._request = {name.lower(): value for name, value in (headers or {}).items()}
        self.status = 200
        self.headers = {}

    def get_request_header(self, _index, name):
        return self._request.get(name.lower())

    def get_all_request_header(self, _index):
        return dict(self._request)

    def set_response_header(self, _index, name, value):
        self.headers[name] = value

    def set_response_content_type(self, _index, value):
        self.headers["Content-Type"] = value

    def set_response_status(self, code=200, phrase="", idx=0):
        self.status = code


def numpy():
    try:
        return importlib.import_module("numpy")
    except ImportError:
        raise Refused(500, "the default decoders and encoders need numpy: install it, or define input_fn and output_fn") from None


def decode(data, content_type):
    np = numpy()
    if content_type == JSON:
        return np.array(json.loads(data))
    if content_type == CSV:
        return np.genfromtxt(io.StringIO(data), delimiter=",", dtype=None, encoding="utf-8")
    if content_type == NPY:
        return np.load(io.BytesIO(data), allow_pickle=False)
    if content_type == NPZ:
        arrays = np.load(io.BytesIO(data), allow_pickle=False)
        if "format" in arrays.files:
            return importlib.import_module("scipy.sparse").load_npz(io.BytesIO(data))
        return arrays[arrays.files[0]] if len(arrays.files) == 1 else dict(arrays)
    raise Refused(415, f"Content-Type {content_type!r} has no default decoder ({JSON}, {CSV}, {NPY}, {NPZ}): define input_fn")


def encode(prediction, accept):
    if accept == JSON:
        return json.dumps(prediction, default=lambda one: one.tolist() if hasattr(one, "tolist") else json.JSONEncoder().default(one))
    np = numpy()
    if accept == CSV:
        text = io.StringIO()
        np.savetxt(text, np.atleast_1d(prediction), delimiter=",", fmt="%s")
        return text.getvalue()
    if accept in (NPY, NPZ):
        data = io.BytesIO()
        (np.save if accept == NPY else np.savez_compressed)(data, prediction)
        return data.getvalue()
    raise Refused(406, f"Accept {accept!r} has no default encoder ({JSON}, {CSV}, {NPY}, {NPZ}): define output_fn")


def default_predict_fn(data, model):
    if hasattr(model, "predict"):
        return model.predict(data)
    if callable(model):
        return model(data)
    raise TypeError(f"a {type(model).__name__} has no predict and cannot be called: define predict_fn")


def run(handler, context, *arguments):
    """Calls a handler with its arguments, and with the context where it takes one more."""
    taken = len(inspect.signature(handler).parameters)
    if taken == len(arguments) + 1:
        return handler(*arguments, context)
    if taken == len(arguments):
        return handler(*arguments)
    raise TypeError(f"{handler.__name__} takes {taken} arguments, it is given {len(arguments)} (and a context if it takes one more)")


class Handlers:
    """The user's module, its gaps filled by the defaults."""

    def __init__(self, model_dir):
        code = os.path.join(model_dir, "code")
        program = os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
        sys.path.insert(0, code)
        module = importlib.import_module(os.path.splitext(program)[0])
        if not hasattr(module, "model_fn"):
            raise SystemExit(f"code/{program} defines no model_fn(model_dir), which loads the model")
        self.transform_fn = getattr(module, "transform_fn", None)
        parts = [name for name in ("input_fn", "predict_fn", "output_fn") if hasattr(module, name)]
        if self.transform_fn and parts:
            raise SystemExit(f"code/{program} defines transform_fn and {', '.join(parts)}: transform_fn stands for all three, keep one or the other")
        self.input_fn = getattr(module, "input_fn", decode)
        self.predict_fn = getattr(module, "predict_fn", default_predict_fn)
        self.output_fn = getattr(module, "output_fn", encode)
        self.model_dir = model_dir
        self.model = run(module.model_fn, Context(model_dir), model_dir)

    def answer(self, data, content_type, accept, context):
        if content_type in (JSON, CSV):
            data = data.decode("utf-8")
        if self.transform_fn:
            return run(self.transform_fn, context, self.model, data, content_type, accept)
        ready = run(self.input_fn, context, data, content_type)
        return run(self.output_fn, context, run(self.predict_fn, context, ready, self.model), accept)


class Server(ThreadingHTTPServer):
    daemon_threads = True
    # Connections that wait to be taken: beyond Python's five the system drops them, to be tried again seconds later, or cut.
    request_queue_size = 2048


class Requests(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    handlers = None
    # Handlers are written for a process that answers one request at a time, as SageMaker's containers run them.
    turn = threading.Lock()

    def do_GET(self):
        self.send(200 if self.path == "/ping" else 404, b"", {})

    def do_POST(self):
        data = self.body()
        if self.path.split("?")[0] != "/invocations":
            return self.send(404, b"", {})
        content_type = (self.headers.get("Content-Type") or JSON).split(";")[0].strip().lower()
        accept = (self.headers.get("Accept") or "*/*").split(",")[0].split(";")[0].strip()
        if accept == "*/*":
            accept = os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", JSON)
        context = Context(self.handlers.model_dir, self.headers)
        try:
            with self.turn:
                result = self.handlers.answer(data, content_type, accept, context)
                if isinstance(result, tuple):
                    result, accept = result[0], result[1]
                headers = {"Content-Type": accept, **context.headers}
                # What has a length, an array or a table, is an answer whole.
                if hasattr(result, "__iter__") and not hasattr(result, "__len__"):
                    return self.send_parts(context.status, result, headers)
            if not isinstance(result, (str, bytes, bytearray, memoryview)):
                result = encode(result, JSON)
            self.send(context.status, octets(result), headers)
        except Refused as error:
            self.fail(error.status, str(error))
        except (Exception, SystemExit) as error:
            traceback.print_exc()
            self.fail(500, f"{type(error).__name__}: {error}")

    def body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        data = bytearray()
        while True:
            size = int(self.rfile.readline().split(b";")[0], 16)
            data += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                return bytes(data)

    def head(self, status, headers):
        # Of an answer that could not be written, nothing may stand before the one that says so.
        self._headers_buffer = []
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, str(value).replace("\r", " ").replace("\n", " "))

    def send(self, status, data, headers):
        bodiless = status in (204, 304)
        self.head(status, headers if bodiless else {**headers, "Content-Length": len(data)})
        self._headers_buffer.append(b"\r\n" + (b"" if bodiless else data))
        self.flush_headers()

    def send_parts(self, status, parts, headers):
        self.head(status, {**headers, "Transfer-Encoding": "chunked"})
        self.end_headers()
        try:
            for part in parts:
                data = octets(part)
                if data:
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
                    self.wfile.flush()
            self.wfile.write(b"0\r\n\r\n")
        except Exception:
            # The answer has begun: a connection that breaks off is all that can still say that it failed.
            traceback.print_exc()
            self.close_connection = True

    def fail(self, status, message):
        self.send(status, json.dumps({"error": message}).encode(), {"Content-Type": JSON})

    def log_message(self, *_arguments):
        pass


def octets(value):
    if isinstance(value, str):
        return value.encode("utf-8")
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"a streamed part must be str or bytes, not {type(value).__name__}")


def main():
    Requests.handlers = Handlers(os.path.abspath(sys.argv[1]))
    server = Server(("127.0.0.1", int(os.environ["SAGEMAKER_BIND_TO_PORT"])), Requests)

    def stop(*_arguments):
        threading.Thread(target=server.shutdown).start()

    def watch_parent():
        # The parent holds the other end of stdin: when it is gone, so is the reason to run.
        sys.stdin.buffer.read()
        os._exit(0)

    signal.signal(signal.SIGTERM, stop)
    threading.Thread(target=watch_parent, daemon=True).start()
    server.serve_forever(poll_interval=0.05)
    with Requests.turn:
        pass


if __name__ == "__main__":
    main()
