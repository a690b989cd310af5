"""Handlers of the scikit-learn container: the pickled pipeline in model.pkl takes the columns as they come."""

import os
import pickle

import pandas as pd

import rows


def model_fn(model_dir):
    with open(os.path.join(model_dir, "model.pkl"), "rb") as file:
        return pickle.load(file)


def input_fn(body, content_type):
    return pd.DataFrame(rows.read(body, content_type), columns=rows.COLUMNS)


def predict_fn(table, model):
    return model.predict_proba(table)[:, 1]


def output_fn(probabilities, accept):
    return rows.write(probabilities, accept)
