"""Walks through the local SageMaker by boto3: archive in S3, model, endpoint, requests, canary, deletion. Prints one JSON document of what it saw."""
import json
import sys
import time

import boto3
from botocore.exceptions import ClientError

archive, sample = sys.argv[1:]
s3, sagemaker, runtime = boto3.client("s3"), boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
ROLE = "arn:aws:iam::000000000000:role/model"
seen = {}


def code(call, **arguments):
    try:
        call(**arguments)
        return "nothing"
    except ClientError as error:
        return f"{error.response['Error']['Code']} {error.response['ResponseMetadata']['HTTPStatusCode']}: {error.response['Error']['Message']}"


def settled():
    while True:
        endpoint = sagemaker.describe_endpoint(EndpointName="flights")
        if endpoint["EndpointStatus"] not in ("Creating", "Updating", "RollingBack"):
            return endpoint
        time.sleep(0.3)


s3.create_bucket(Bucket="models")
s3.upload_file(archive, "models", "flights/model.tar.gz")
container = {"Image": "onnx:1", "ModelDataUrl": "s3://models/flights/model.tar.gz"}
sagemaker.create_model(ModelName="one", ExecutionRoleArn=ROLE, PrimaryContainer=container)
for name in ("first", "second"):
    variant = {"VariantName": "live", "ModelName": "one", "InstanceType": "ml.m5.large", "InitialInstanceCount": 2}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
sagemaker.create_endpoint(EndpointName="flights", EndpointConfigName="first")
sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="flights", WaiterConfig={"Delay": 1})

answer = runtime.invoke_endpoint(EndpointName="flights", ContentType="application/json", Body=sample)
seen["prediction"] = json.loads(answer["Body"].read())["predictions"][0]
seen["variant"] = answer["InvokedProductionVariant"]
stream = runtime.invoke_endpoint_with_response_stream(EndpointName="flights", ContentType="application/json", Body=sample)
seen["streamed"] = json.loads(b"".join(event["PayloadPart"]["Bytes"] for event in stream["Body"]))["predictions"][0]

policy = {"Type": "CANARY", "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50}, "WaitIntervalInSeconds": 1}
sagemaker.update_endpoint(
    EndpointName="flights",
    EndpointConfigName="second",
    DeploymentConfig={"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": policy, "TerminationWaitInSeconds": 1}},
)
seen["pending"] = sagemaker.describe_endpoint(EndpointName="flights")["PendingDeploymentSummary"]["EndpointConfigName"]
seen["busy"] = code(sagemaker.update_endpoint, EndpointName="flights", EndpointConfigName="first")
seen["config"] = settled()["EndpointConfigName"]

seen["configs"] = [
    config["EndpointConfigName"]
    for page in sagemaker.get_paginator("list_endpoint_configs").paginate(SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 1})
    for config in page["EndpointConfigs"]
]
seen["missing"] = code(sagemaker.describe_endpoint, EndpointName="none")
seen["nowhere"] = code(runtime.invoke_endpoint, EndpointName="none", Body=b"x")
seen["model error"] = code(runtime.invoke_endpoint, EndpointName="flights", ContentType="application/json", Body=b"{}")[:45]
sagemaker.create_model_package_group(ModelPackageGroupName="flights")
package = sagemaker.create_model_package(ModelPackageGroupName="flights", InferenceSpecification={"Containers": [container]})["ModelPackageArn"]
sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
seen["package"] = sagemaker.describe_model_package(ModelPackageName=package)["ModelApprovalStatus"]
print(json.dumps(seen))
