"""A small network for tables: an embedding a category, standardised numbers, one hidden layer. It can become TorchScript."""

from typing import Dict, List

import numpy as np
import torch
from torch import Tensor, nn

from flights import NUMBERS, STRINGS

EMBEDDED, HIDDEN = 6, 48


class LateNetwork(nn.Module):
    """Takes [N, 3 + 15] floats: places of the categories, then numbers, NaN where one is missing. Gives [N] probabilities."""

    known: List[Dict[str, int]]

    def __init__(self, categories: Dict[str, List[str]], mean: np.ndarray, scale: np.ndarray):
        super().__init__()
        self.known = [{name: place for place, name in enumerate(categories[c])} for c in STRINGS]
        # One row more than there are names, for a name never seen.
        self.embeddings = nn.ModuleList([nn.Embedding(len(names) + 1, EMBEDDED) for names in self.known])
        self.register_buffer("numbers_mean", torch.tensor(mean))
        self.register_buffer("numbers_scale", torch.tensor(scale))
        self.hidden = nn.Linear(EMBEDDED * len(STRINGS) + len(NUMBERS), HIDDEN)
        self.late = nn.Linear(HIDDEN, 1)

    def forward(self, table: Tensor) -> Tensor:
        return torch.sigmoid(self.log_odds(table))

    def log_odds(self, table: Tensor) -> Tensor:
        parts: List[Tensor] = []
        for column, embedding in enumerate(self.embeddings):
            parts.append(embedding(table[:, column].to(torch.int64)))
        numbers = table[:, len(parts) :]
        numbers = torch.where(torch.isnan(numbers), self.numbers_mean, numbers)
        parts.append((numbers - self.numbers_mean) / self.numbers_scale)
        return self.late(torch.relu(self.hidden(torch.cat(parts, dim=1))))[:, 0]

    @torch.jit.export
    def places(self, names: List[List[str]]) -> Tensor:
        """[N, 3] floats for N rows of carrier, origin and destination."""
        rows: List[List[float]] = []
        for row in names:
            encoded: List[float] = []
            for column, name in enumerate(row):
                known = self.known[column]
                encoded.append(float(known[name] if name in known else len(known)))
            rows.append(encoded)
        return torch.tensor(rows)


def fit(network: LateNetwork, table: np.ndarray, outcome, epochs: int, batch: int) -> None:
    torch.set_num_threads(1)
    inputs, wanted = torch.tensor(table, dtype=torch.float32), torch.tensor(np.array(outcome), dtype=torch.float32)
    optimiser, loss = torch.optim.Adam(network.parameters(), lr=0.003), nn.BCEWithLogitsLoss()
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            optimiser.zero_grad()
            loss(network.log_odds(inputs[chosen]), wanted[chosen]).backward()
            optimiser.step()
