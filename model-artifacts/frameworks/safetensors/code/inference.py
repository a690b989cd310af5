"""Handlers for the PyTorch container: a small network, its weights in model.safetensors, its columns and categories in config.json."""

import json
import os

import torch
from safetensors.torch import load_file

import rows


def model_fn(model_dir):
    with open(os.path.join(model_dir, "config.json")) as file:
        config = json.load(file)
    return config, load_file(os.path.join(model_dir, "model.safetensors"))


def input_fn(body, content_type):
    return rows.read(body, content_type)


def predict_fn(flights, model):
    config, weights = model
    numbers = torch.tensor([[flight[c] for c in rows.NUMBERS] for flight in flights], dtype=torch.float32)
    numbers = (torch.where(numbers.isnan(), weights["numbers_mean"], numbers) - weights["numbers_mean"]) / weights["numbers_scale"]
    embedded = [
        weights[f"{column}.embedding"][[places.get(flight[column], len(places)) for flight in flights]]
        for column, places in ((c, {name: place for place, name in enumerate(config["categories"][c])}) for c in rows.STRINGS)
    ]
    hidden = torch.relu(torch.cat([*embedded, numbers], dim=1) @ weights["hidden.weight"].T + weights["hidden.bias"])
    return torch.sigmoid(hidden @ weights["late.weight"].T + weights["late.bias"])[:, 0].tolist()


def output_fn(probabilities, accept):
    return rows.write(probabilities, accept)
