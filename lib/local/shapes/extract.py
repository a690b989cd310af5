"""Extracts the shapes of some operations of an AWS service from botocore's service model.

    pip install botocore
    python extract.py sagemaker CreateModel DescribeModel ... > sagemaker.json
    python extract.py --again sagemaker.json > new.json        the same operations again, from the botocore installed

What is kept: operations with their input, output, errors and HTTP binding; shapes with types, members, required, minimum, maximum,
pattern, enumeration and header or path locations. Documentation is dropped. botocore is Apache-2.0, copyright Amazon.com, Inc.
"""
import json
import sys

import botocore
from botocore.loaders import Loader

SHAPE = ("type", "required", "min", "max", "pattern", "enum", "union", "error", "exception", "timestampFormat", "payload", "eventstream", "event", "flattened")
MEMBER = ("location", "locationName", "eventpayload", "jsonvalue", "timestampFormat")


def ref(member):
    kept = {"shape": member["shape"], **{key: member[key] for key in MEMBER if key in member}}
    return kept["shape"] if len(kept) == 1 else kept


def names(shape):
    for key in ("member", "key", "value"):
        if key in shape:
            yield shape[key]["shape"]
    for member in shape.get("members", {}).values():
        yield member["shape"]


def compact(shape):
    kept = {key: shape[key] for key in SHAPE if key in shape}
    for key in ("member", "key", "value"):
        if key in shape:
            kept[key] = ref(shape[key])
    if "members" in shape:
        kept["members"] = {name: ref(member) for name, member in shape["members"].items()}
    return kept


def line(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def lines(values):
    return ",\n".join(f"{line(name)}:{line(value)}" for name, value in values.items())


def main():
    arguments = sys.argv[1:]
    if arguments[0] == "--again":
        with open(arguments[1], encoding="utf-8") as old:
            old = json.load(old)
        service, wanted = old["source"]["service"], list(old["operations"])
    else:
        service, *wanted = arguments
    model = Loader().load_service_model(service, "service-2")
    operations, queue = {}, []
    for name in sorted(wanted):
        operation = model["operations"][name]
        entry = {"http": operation["http"]} if operation["http"].get("requestUri", "/") != "/" else {}
        for key in ("input", "output"):
            if key in operation:
                entry[key] = operation[key]["shape"]
                queue.append(entry[key])
        entry["errors"] = [error["shape"] for error in operation.get("errors", [])]
        queue += entry["errors"]
        operations[name] = entry
    shapes = {}
    while queue:
        name = queue.pop()
        if name not in shapes:
            shapes[name] = compact(model["shapes"][name])
            queue += names(model["shapes"][name])
    metadata = model["metadata"]
    source = {
        "package": f"botocore {botocore.__version__}",
        "licence": "Apache-2.0, copyright Amazon.com, Inc. or its affiliates",
        "service": service,
        "apiVersion": metadata["apiVersion"],
        "serviceId": metadata["serviceId"],
        "signingName": metadata.get("signingName", metadata["endpointPrefix"]),
        "targetPrefix": metadata.get("targetPrefix"),
        "jsonVersion": metadata.get("jsonVersion"),
    }
    print(f'{{"source":{line(source)},\n"operations":{{\n{lines(operations)}\n}},\n"shapes":{{\n{lines(dict(sorted(shapes.items())))}\n}}}}')


main()
