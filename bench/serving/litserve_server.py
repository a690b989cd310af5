"""python litserve_server.py PORT: one worker on the CPU, LitServe's own defaults beside it."""

import sys

import litserve

from flights import Flights


class FlightsApi(litserve.LitAPI):
    def setup(self, device):
        self.flights = Flights()

    def decode_request(self, request):
        return request["instances"]

    def predict(self, rows):
        return self.flights.predict(rows)

    def encode_response(self, output):
        return output


if __name__ == "__main__":
    server = litserve.LitServer(FlightsApi(api_path="/invocations"), accelerator="cpu", workers_per_device=1, healthcheck_path="/ping")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="error")
