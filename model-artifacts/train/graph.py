"""The pieces of an ONNX graph that every version is built from: named columns in, `label` and `probability` out.

Preprocessing is part of the graph, so a request carries the values as a person knows them, and what was trained is what is served.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from flights import INPUTS, NUMBERS, STRINGS

OPSETS = [("", 18), ("ai.onnx.ml", 5)]
LATE_ABOVE = 0.5


class Graph:
    """Nodes and constants under construction. Every value is named after what it holds."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def add(self, op, inputs, output, domain="", **attributes):
        self.nodes.append(helper.make_node(op, inputs, [output], name=output, domain=domain, **attributes))
        return output

    def constant(self, name, values, dtype="float32"):
        self.constants.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def rate_of(self, column, rates, default):
        """A category becomes the late rate that training saw for it; one never seen, or the empty string, becomes the default."""
        return self.add(
            "LabelEncoder", [column], f"{column}_rate", "ai.onnx.ml",
            keys_strings=list(rates), values_floats=[float(r) for r in rates.values()], default_float=float(default),
        )

    def scheduled_minutes(self):
        """From departure to arrival by the two local clocks, past midnight included."""
        span = self.add("Sub", ["arrival_minute", "departure_minute"], "clock_span")
        day = self.constant("minutes_a_day", [1440])
        days = self.add("Floor", [self.add("Div", [span, day], "clock_days")], "whole_days")
        return self.add("Sub", [span, self.add("Mul", [days, day], "day_shift")], "scheduled_minutes")

    def late_probability_of_trees(self, features, fitted, name="trees"):
        """A fitted HistGradientBoostingClassifier as one TreeEnsemble."""
        return self.late_probability(self.add("TreeEnsemble", [features], name, "ai.onnx.ml", **_tree_attributes(fitted)))

    def late_probability(self, log_odds):
        return self.add("Sigmoid", [log_odds], f"{log_odds}_probability")

    def model(self, probability, name, description):
        """Finishes the graph: a probability of shape [N, 1] becomes the two outputs."""
        self.add("Reshape", [probability, self.constant("flat", [-1], "int64")], "probability")
        late = self.add("Greater", ["probability", self.constant("late_above", LATE_ABOVE)], "is_late")
        self.add("Cast", [late], "label", to=TensorProto.INT64)
        kinds = {**{c: TensorProto.STRING for c in STRINGS}, **{c: TensorProto.FLOAT for c in NUMBERS}}
        graph = helper.make_graph(
            self.nodes, name,
            [helper.make_tensor_value_info(c, kinds[c], ["N", 1]) for c in INPUTS],
            [
                helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
                helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["N"]),
            ],
            self.constants, doc_string=description,
        )
        opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS]
        model = helper.make_model(graph, opset_imports=opsets, producer_name="flight-delay-train", ir_version=9)
        onnx.checker.check_model(model)
        return model


def round_down_to_float32(thresholds):
    """The largest float32 at or below each float64: `x <= t` then holds for the same float32 x as before."""
    nearest = thresholds.astype(np.float32)
    return np.where(nearest > thresholds, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def _tree_attributes(fitted):
    """scikit-learn's node arrays, laid out as ai.onnx.ml 5 wants them: inner nodes and leaves numbered apart, over all trees."""
    inner = {"features": [], "splits": [], "missing": [], "true": [], "true_leaf": [], "false": [], "false_leaf": []}
    leaves, roots, inner_count = [], [], 0
    for index, (tree,) in enumerate(fitted._predictors):
        nodes = tree.nodes
        is_leaf = nodes["is_leaf"].astype(bool)
        number = np.where(is_leaf, len(leaves) + np.cumsum(is_leaf) - 1, inner_count + np.cumsum(~is_leaf) - 1)
        split = nodes[~is_leaf]
        roots.append(int(number[0]))
        inner["features"].append(split["feature_idx"])
        inner["splits"].append(round_down_to_float32(split["num_threshold"]))
        inner["missing"].append(split["missing_go_to_left"])
        for side, child in (("true", split["left"]), ("false", split["right"])):
            inner[side].append(number[child])
            inner[f"{side}_leaf"].append(is_leaf[child])
        # Every path passes the first tree once, so its leaves carry the baseline.
        leaves.extend(nodes["value"][is_leaf] + (fitted._baseline_prediction.item() if index == 0 else 0))
        inner_count += len(split)
    column = {key: np.concatenate(parts) for key, parts in inner.items()}
    ints = lambda key: column[key].astype("int64").tolist()
    tensor = lambda name, values: numpy_helper.from_array(values, name)
    return {
        "n_targets": 1,
        "aggregate_function": 1,  # sum
        "post_transform": 0,
        "tree_roots": roots,
        "nodes_featureids": ints("features"),
        "nodes_modes": tensor("nodes_modes", np.zeros(inner_count, "uint8")),  # x <= split
        "nodes_splits": tensor("nodes_splits", column["splits"].astype("float32")),
        "nodes_missing_value_tracks_true": ints("missing"),
        "nodes_truenodeids": ints("true"),
        "nodes_trueleafs": ints("true_leaf"),
        "nodes_falsenodeids": ints("false"),
        "nodes_falseleafs": ints("false_leaf"),
        "leaf_targetids": [0] * len(leaves),
        "leaf_weights": tensor("leaf_weights", np.asarray(leaves, "float32")),
    }
