"""Handlers of the TensorFlow Serving container: named columns to the model's numbers, its answer to predictions.

The container loads this file alone, so it imports nothing from beside it.
"""

import json

NUMBERS = [
    "month", "day_of_week", "departure_minute", "arrival_minute", "distance_miles", "departures_that_hour", "recent_delay",
    "plane_age", "seats", "temp_f", "humid_pct", "wind_mph", "precip_inches", "pressure_hpa", "visib_miles",
]  # fmt: skip
GAP = float("nan")  # TensorFlow Serving reads the token NaN, and the model fills it in


def input_handler(data, context):
    if context.request_content_type != "application/json":
        raise ValueError(f"content type {context.request_content_type!r} is not application/json")
    flights = json.loads(data.read().decode("utf-8"))["instances"]
    return json.dumps({"instances": [[GAP if flight[c] is None else float(flight[c]) for c in NUMBERS] for flight in flights]})


def output_handler(response, context):
    if response.status_code != 200:
        raise ValueError(response.content.decode("utf-8"))
    probabilities = [answer[0] for answer in json.loads(response.content.decode("utf-8"))["predictions"]]
    predictions = [{"label": int(p > 0.5), "probability": p} for p in probabilities]
    return json.dumps({"predictions": predictions}), "application/json"
