"""The flight-delay model on onnxruntime, as both Python servers of the bench call it."""

import os

import numpy as np
import onnxruntime


class Flights:
    def __init__(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(os.environ["MODEL"], options)
        self.inputs = [(one.name, object if "string" in one.type else np.float32) for one in self.session.get_inputs()]

    def run(self, rows):
        feeds = {name: np.array([[row[name]] for row in rows], dtype=kind) for name, kind in self.inputs}
        return self.session.run(["label", "probability"], feeds)

    def predict(self, rows):
        labels, probabilities = self.run(rows)
        pairs = zip(labels.ravel().tolist(), probabilities.ravel().tolist())
        return {"predictions": [{"label": label, "probability": probability} for label, probability in pairs]}
