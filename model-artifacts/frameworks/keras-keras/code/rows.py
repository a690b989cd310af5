"""Requests as rows of columns, answers as JSON or CSV: the same in every handler, with nothing but the standard library."""

import csv
import io
import json

STRINGS = ["carrier", "origin", "dest"]
NUMBERS = [
    "month", "day_of_week", "departure_minute", "arrival_minute", "distance_miles", "departures_that_hour", "recent_delay",
    "plane_age", "seats", "temp_f", "humid_pct", "wind_mph", "precip_inches", "pressure_hpa", "visib_miles",
]  # fmt: skip
COLUMNS = STRINGS + NUMBERS


def read(body, content_type):
    """A list of dicts, column to string or float; a number that is missing is NaN.

    JSON is {"instances": [{column: value, ...}, ...]}; CSV has no header and the columns in order.
    """
    text = body.decode("utf-8") if isinstance(body, (bytes, bytearray)) else body
    kind = content_type.split(";")[0].strip().lower()
    if kind == "application/json":
        rows = json.loads(text)["instances"]
        rows = [dict(zip(COLUMNS, row)) if isinstance(row, list) else row for row in rows]
    elif kind == "text/csv":
        rows = [dict(zip(COLUMNS, fields)) for fields in csv.reader(io.StringIO(text)) if fields]
    else:
        raise ValueError(f"content type {content_type!r} is not one of application/json, text/csv")
    for number, row in enumerate(rows):
        absent = [column for column in COLUMNS if column not in row]
        if absent:
            raise ValueError(f"row {number} lacks {', '.join(absent)}")
    return [{**{c: row[c] or "" for c in STRINGS}, **{c: _number(row[c]) for c in NUMBERS}} for row in rows]


def _number(value):
    return float("nan") if value is None or value == "" else float(value)


def write(probabilities, accept):
    """One prediction a row: label 1 where the probability of being late is above 0.5. Returns the body and its content type."""
    answers = [(int(p > 0.5), float(p)) for p in probabilities]
    if accept.split(";")[0].strip().lower() == "text/csv":
        return "".join(f"{label},{probability}\n" for label, probability in answers), "text/csv"
    predictions = [{"label": label, "probability": probability} for label, probability in answers]
    return json.dumps({"predictions": predictions}), "application/json"
