"""How long each version takes for one flight a request, in ONNX Runtime on one thread; the versions take turns.

    python latency.py          prints microseconds, for 2,000 flights over the later months
"""

import time

import numpy as np

import flights
from train import LATER, OUTPUT, feed, session
from versions import VERSIONS

FLIGHTS = 2000


def main():
    later = flights.months(flights.load(), *LATER)
    rows = later.iloc[np.linspace(0, len(later) - 1, FLIGHTS).astype(int)]
    runs = {number: session((OUTPUT / str(number) / "model.onnx").read_bytes()) for number in VERSIONS}
    took = {number: [] for number in VERSIONS}
    for row in range(FLIGHTS):
        request = feed(rows.iloc[row : row + 1])
        for number, run in runs.items():
            start = time.perf_counter()
            try:
                run.run(["label", "probability"], request)
            except Exception as error:
                if "out of data bounds" not in str(error):
                    raise
                continue
            took[number].append((time.perf_counter() - start) * 1e6)
    for number, times in took.items():
        p50, p99 = np.percentile(times, [50, 99])
        print(f"version {number}: p50 {p50:.0f} us, p99 {p99:.0f} us, answered {len(times) / FLIGHTS:.1%}")


if __name__ == "__main__":
    main()
