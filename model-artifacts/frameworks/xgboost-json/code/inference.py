"""Handlers of the XGBoost container in script mode. The booster carries the names of its categories as an attribute."""

import json
import os

import numpy as np
import xgboost

import rows


def model_fn(model_dir):
    booster = xgboost.Booster()
    booster.load_model(os.path.join(model_dir, "model.json"))
    return booster


def input_fn(body, content_type):
    return rows.read(body, content_type)


def predict_fn(flights, booster):
    categories = json.loads(booster.attr("categories"))
    places = {column: {name: place for place, name in enumerate(names)} for column, names in categories.items()}
    table = [
        [*(places[c].get(flight[c], np.nan) for c in rows.STRINGS), *(flight[c] for c in rows.NUMBERS)] for flight in flights
    ]
    matrix = xgboost.DMatrix(np.array(table, dtype="float32"), feature_names=rows.COLUMNS)
    return booster.predict(matrix)


def output_fn(probabilities, accept):
    return rows.write(probabilities, accept)
