"""Loads each model of `../frameworks/` the way its container does, by its own handlers, and asks it about later flights.

    python check.py            all; exits 1 if one does not load, answer, or reach its recorded accuracy
    python check.py pytorch    only this one
"""

import os

os.environ["KERAS_BACKEND"] = "torch"

import importlib.util
import io
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import yaml

import flights
from flights import INPUTS, NUMBERS
from train import LATER, as_json, shortest

# A __pycache__ in code/ would become part of the artifact.
sys.dont_write_bytecode = True

FRAMEWORKS = Path(__file__).resolve().parent.parent / "frameworks"
SAME = 1e-5


def handlers(directory: Path):
    """code/inference.py as a module, with its own directory first on the path."""
    sys.path.insert(0, str(directory / "code"))
    sys.modules.pop("rows", None)
    try:
        spec = importlib.util.spec_from_file_location("inference", directory / "code" / "inference.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.pop(0)


def probabilities(directory: Path, rows: pd.DataFrame) -> np.ndarray:
    """Answers to JSON, where there are handlers checked against those to CSV."""
    body = json.dumps({"instances": [as_json(row) for _, row in rows.iterrows()]})
    if directory.name == "tensorflow":
        return _served_by_tensorflow(directory, body)
    if directory.name == "xgboost-ubj":
        return _served_by_algorithm_mode(directory, rows)
    module = handlers(directory)
    model = module.model_fn(str(directory))

    def ask(request, kind):
        answer, _ = module.output_fn(module.predict_fn(module.input_fn(request, kind), model), "application/json")
        return np.array([prediction["probability"] for prediction in json.loads(answer)["predictions"]])

    answers = ask(body.encode(), "application/json")
    by_csv = ask(rows[INPUTS].to_csv(index=False, header=False), "text/csv")
    if np.abs(answers - by_csv).max() > SAME:
        raise SystemExit(f"{directory.name}: JSON and CSV of the same rows get different answers")
    return answers


def _served_by_algorithm_mode(directory, rows):
    """What the XGBoost container does without a handler: pickle first, then a booster; rows of numbers, no names."""
    import pickle

    import xgboost

    file = directory / "xgboost-model"
    try:
        pickle.loads(file.read_bytes())
        raise SystemExit("xgboost-model is a pickle")
    except pickle.UnpicklingError:
        booster = xgboost.Booster()
        booster.load_model(file)
    fields = [["nan" if np.isnan(x) else shortest(x) for x in row] for row in rows[NUMBERS].to_numpy()]
    return booster.predict(xgboost.DMatrix(np.array(fields, dtype="float32")))


def _served_by_tensorflow(directory, body):
    """The handlers around the model's own signature, as TensorFlow Serving would run it. In a process of its own, for its own libraries."""
    code = Path(__file__).resolve()
    done = subprocess.run([sys.executable, code, "--tensorflow", directory], input=body, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    return np.array([prediction["probability"] for prediction in json.loads(done.stdout)["predictions"]])


def _answer_by_tensorflow(directory):
    import tensorflow as tf

    module = handlers(Path(directory))
    request = module.input_handler(io.BytesIO(sys.stdin.buffer.read()), SimpleNamespace(request_content_type="application/json"))
    served = tf.saved_model.load(str(Path(directory) / "1")).signatures["serving_default"]
    answers = served(numbers=tf.constant(json.loads(request)["instances"], tf.float32))["probability"].numpy()
    response = SimpleNamespace(status_code=200, content=json.dumps({"predictions": answers.tolist()}).encode())
    print(module.output_handler(response, None)[0])


def main(wanted):
    later = flights.months(flights.load(), *LATER).iloc[::8].reset_index(drop=True)
    wrong = 0
    for directory in sorted(d for d in FRAMEWORKS.iterdir() if d.is_dir() and (not wanted or d.name in wanted)):
        recorded = yaml.safe_load(next(directory.glob("*model.yaml")).read_text())["metrics"]["accuracy"]
        accuracy = float(((probabilities(directory, later) > 0.5) == later.outcome).mean())
        right = abs(accuracy - recorded) < 0.001
        wrong += not right
        print(f"{directory.name}: accuracy {accuracy:.4f}, recorded {recorded}: {'ok' if right else 'NOT THE SAME'}", flush=True)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--tensorflow"]:
        _answer_by_tensorflow(sys.argv[2])
    else:
        main(sys.argv[1:])
