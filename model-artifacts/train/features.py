"""Rates of categories and the matrix of features, in Python, exactly as the graphs compute them."""

import numpy as np
import pandas as pd

from flights import STRINGS

PRIOR_ROWS = 20  # a category seen n times weighs n against this many rows of the overall rate


def late_rates(rows: pd.DataFrame, column) -> dict:
    """Category to its share of late flights, drawn towards the overall rate where there are few."""
    seen = rows.groupby(column).outcome.agg(["sum", "size"])
    overall = rows.outcome.mean()
    return ((seen["sum"] + PRIOR_ROWS * overall) / (seen["size"] + PRIOR_ROWS)).astype("float32").to_dict()


class Rates:
    """The late rates of carrier, origin and destination that one training set showed."""

    def __init__(self, rows: pd.DataFrame):
        self.overall = np.float32(rows.outcome.mean())
        self.of = {column: late_rates(rows, column) for column in STRINGS}

    def matrix(self, rows: pd.DataFrame, numbers) -> np.ndarray:
        """float32 [rows, 3 + len(numbers) + 1]: the rates, the numbers, the scheduled duration."""
        rates = [rows[c].map(self.of[c]).fillna(self.overall) for c in STRINGS]
        scheduled = (rows.arrival_minute - rows.departure_minute) % 1440
        return np.column_stack([*rates, *(rows[c] for c in numbers), scheduled]).astype("float32")

    def add_to(self, graph, numbers):
        """The same columns, in the same order, as values of a graph; returns the matrix's name."""
        rates = [graph.rate_of(c, self.of[c], self.overall) for c in STRINGS]
        return graph.add("Concat", [*rates, *numbers, graph.scheduled_minutes()], "features", axis=1)
