"""uvicorn fastapi_server:app: no model of the request, no thread pool, no response model, which FastAPI is faster without."""

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from flights import Flights

app = FastAPI()
flights = Flights()


@app.get("/ping")
async def ping():
    return {}


@app.post("/invocations")
async def invocations(request: Request):
    return JSONResponse(flights.predict((await request.json())["instances"]))
