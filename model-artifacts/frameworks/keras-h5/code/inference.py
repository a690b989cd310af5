"""Handlers that run Keras 3 on the PyTorch container: requirements.txt brings Keras, the image its backend.

TensorFlow Serving loads neither .h5 nor .keras; for it, see the exported model in ../tensorflow.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np

import rows


def model_fn(model_dir):
    return keras.saving.load_model(os.path.join(model_dir, "model.h5"), compile=False)


def input_fn(body, content_type):
    flights = rows.read(body, content_type)
    return np.array([[flight[c] for c in rows.NUMBERS] for flight in flights], dtype="float32")


def predict_fn(numbers, model):
    # Networks have no branch for a gap: it takes the mean that the first layer was trained with.
    means = np.array(model.get_layer("standardise").get_config()["mean"], dtype="float32")
    return model.predict_on_batch(np.where(np.isnan(numbers), means, numbers))[:, 0]


def output_fn(probabilities, accept):
    return rows.write(probabilities, accept)
