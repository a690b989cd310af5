"""Handlers of the PyTorch container. The TorchScript program in model.pt encodes categories and fills gaps by itself."""

import os

import torch

import rows


def model_fn(model_dir):
    return torch.jit.load(os.path.join(model_dir, "model.pt"), map_location="cpu").eval()


def input_fn(body, content_type):
    return rows.read(body, content_type)


def predict_fn(flights, model):
    numbers = torch.tensor([[flight[c] for c in rows.NUMBERS] for flight in flights], dtype=torch.float32)
    with torch.inference_mode():
        places = model.places([[flight[c] for c in rows.STRINGS] for flight in flights])
        return model(torch.cat([places, numbers], dim=1)).tolist()


def output_fn(probabilities, accept):
    return rows.write(probabilities, accept)
