"""The five versions of the flight-delay model. Each trains on a table of flights and returns what it learned twice over:
`predict`, in Python, and `model`, the ONNX graph that must say the same.

Versions 3, 4 and 5 are here to be caught: 3 fails, 4 is slow, 5 is wrong, each by a mistake that was easy to make.
"""

from dataclasses import dataclass
from typing import Callable

import numpy as np
import onnx
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from features import Rates, late_rates
from flights import NUMBERS
from graph import Graph

SEED = 2013

SCHEDULE = ["day_of_week", "departure_minute", "distance_miles", "departures_that_hour"]
# The months to predict are not among the months to learn from, so the month itself is left out.
EVERYTHING = [c for c in NUMBERS if c != "month"]


@dataclass
class Trained:
    title: str
    description: str
    rows: pd.DataFrame  # what it was trained on
    predict: Callable[[pd.DataFrame], np.ndarray]  # table to probability of being late
    model: onnx.ModelProto
    # How this version's own pipeline prepares the table that it is measured on, and in words for model.yaml.
    prepare: Callable[[pd.DataFrame], pd.DataFrame] = lambda table: table
    prepared: str = ""


def boosted_trees(seed=SEED, **settings):
    chosen = {"max_iter": 150, "learning_rate": 0.08, "max_leaf_nodes": 31, "min_samples_leaf": 100, **settings}
    return HistGradientBoostingClassifier(early_stopping=False, random_state=seed, **chosen)


def version1(rows):
    """Logistic regression on the schedule alone."""
    rates = Rates(rows)
    features = rates.matrix(rows, SCHEDULE).astype("float64")
    mean, scale = features.mean(axis=0), features.std(axis=0)
    fitted = LogisticRegression(max_iter=1000).fit((features - mean) / scale, rows.outcome)
    weights = fitted.coef_[0] / scale
    bias = fitted.intercept_[0] - weights @ mean

    graph = Graph()
    matrix = rates.add_to(graph, SCHEDULE)
    graph.add("MatMul", [matrix, graph.constant("weights", weights[:, None])], "weighted")
    probability = graph.late_probability(graph.add("Add", ["weighted", graph.constant("bias", [bias])], "log_odds"))
    description = "Logistic regression on carrier, route and schedule."
    return Trained(
        "logistic regression", description, rows,
        lambda table: fitted.predict_proba((rates.matrix(table, SCHEDULE) - mean) / scale)[:, 1],
        graph.model(probability, "flight_delay_1", description),
    )


def version2(rows):
    """Boosted trees on everything known before departure; a missing value has its own branch in every tree."""
    rates = Rates(rows)
    fitted = boosted_trees().fit(rates.matrix(rows, EVERYTHING), rows.outcome)
    graph = Graph()
    probability = graph.late_probability_of_trees(rates.add_to(graph, EVERYTHING), fitted)
    description = "Boosted trees on schedule, recent delays, plane and weather."
    return Trained(
        "boosted trees", description, rows,
        lambda table: fitted.predict_proba(rates.matrix(table, EVERYTHING))[:, 1],
        graph.model(probability, "flight_delay_2", description),
    )


def version3(rows):
    """Version 2 with a table of late rates by the plane's age.

    Rows with gaps were dropped before training, so nobody saw what the table does with one. `searchsorted` puts NaN after
    every number, infinity included: bucket 6 of a table of six. Python's answer is an IndexError, ONNX Runtime's that Gather's
    index is out of bounds.
    """
    drop_gaps = lambda table: table.dropna(subset=["plane_age"])
    rows = drop_gaps(rows)
    rates = Rates(rows)
    ages = np.array([2, 5, 10, 15, 20, np.inf], dtype="float32")
    bucket = lambda table: np.searchsorted(ages, table.plane_age.to_numpy("float32"))
    rate_of_age = np.array(list(late_rates(rows, bucket(rows)).values()), dtype="float32")
    others = [c for c in EVERYTHING if c != "plane_age"]
    matrix = lambda table: np.column_stack([rates.matrix(table, others), rate_of_age[bucket(table)]])
    fitted = boosted_trees().fit(matrix(rows), rows.outcome)

    graph = Graph()
    fits = graph.add("LessOrEqual", ["plane_age", graph.constant("age_edges", ages)], "fits_below_edge")
    counted = graph.add("Cast", [fits], "fits_as_count", to=onnx.TensorProto.INT64)
    above = graph.add("ReduceSum", [counted, graph.constant("across", [1], "int64")], "edges_above", keepdims=1)
    index = graph.add("Sub", [graph.constant("edges", [len(ages)], "int64"), above], "age_bucket")
    age_rate = graph.add("Gather", [graph.constant("rate_of_age", rate_of_age), index], "age_rate", axis=0)
    features = graph.add("Concat", [rates.add_to(graph, others), age_rate], "features_and_age", axis=1)
    probability = graph.late_probability_of_trees(features, fitted)
    description = "Boosted trees on schedule, recent delays, plane and weather, with late rates by the plane's age."
    return Trained(
        "boosted trees, late rates by plane age", description, rows,
        lambda table: fitted.predict_proba(matrix(table))[:, 1],
        graph.model(probability, "flight_delay_3", description),
        drop_gaps, " without gaps",
    )


BAGS, TREES_A_BAG, ROWS_A_BAG = 400, 100, 20_000


def version4(rows):
    """Four hundred boosted models, each on its own random rows, voting: right, and far too much work a request."""
    rates = Rates(rows)
    features, outcomes = rates.matrix(rows, EVERYTHING), rows.outcome.to_numpy()
    random = np.random.default_rng(SEED)
    members = []
    for seed in range(BAGS):
        bag = random.choice(len(rows), ROWS_A_BAG, replace=False)
        settings = {"max_iter": TREES_A_BAG, "max_leaf_nodes": 4, "learning_rate": 0.15}
        members.append(boosted_trees(seed, **settings).fit(features[bag], outcomes[bag]))
    graph = Graph()
    features_name = rates.add_to(graph, EVERYTHING)
    votes = [graph.late_probability_of_trees(features_name, m, f"trees_{k}") for k, m in enumerate(members)]
    probability = graph.add("Mean", votes, "mean_of_votes")
    description = f"The mean of {BAGS} boosted models of {TREES_A_BAG} trees each, on schedule, recent delays, plane and weather."
    return Trained(
        f"{BAGS} bagged models of boosted trees", description, rows,
        lambda table: np.mean([m.predict_proba(rates.matrix(table, EVERYTHING))[:, 1] for m in members], axis=0),
        graph.model(probability, "flight_delay_4", description),
    )


def version5(rows):
    """Version 2, trained on a table whose recent delay was in hours. Requests bring minutes, and nobody converts them:
    a delay of six minutes is read as one of six hours.
    """
    in_hours = lambda table: table.assign(recent_delay=table.recent_delay / np.float32(60))
    rates = Rates(rows)
    fitted = boosted_trees().fit(rates.matrix(in_hours(rows), EVERYTHING), rows.outcome)
    graph = Graph()
    probability = graph.late_probability_of_trees(rates.add_to(graph, EVERYTHING), fitted)
    description = "Boosted trees on schedule, recent delays, plane and weather, from the warehouse's new delay table."
    return Trained(
        "boosted trees", description, rows,
        lambda table: fitted.predict_proba(rates.matrix(table, EVERYTHING))[:, 1],
        graph.model(probability, "flight_delay_5", description),
        in_hours, " of the warehouse's table",
    )


# Version: how to train it, and the first and last month it learns from.
VERSIONS = {1: (version1, 1, 3), 2: (version2, 1, 6), 3: (version3, 1, 6), 4: (version4, 1, 6), 5: (version5, 1, 6)}
