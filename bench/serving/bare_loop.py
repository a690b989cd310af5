"""python bare_loop.py BODIES SECONDS: the model without a server, as bare-loop.ts calls it from Node; MODEL names the file."""

import json
import sys
import time

from flights import Flights

flights = Flights()
with open(sys.argv[1]) as bodies:
    rows = [json.loads(body)["instances"] for body in bodies]
for i in range(500):
    flights.run(rows[i % len(rows)])
cpu, start, calls = time.process_time(), time.perf_counter(), 0
while time.perf_counter() - start < float(sys.argv[2]):
    flights.run(rows[calls % len(rows)])
    calls += 1
print(json.dumps({"calls": calls, "seconds": time.perf_counter() - start, "cpuSeconds": time.process_time() - cpu}))
