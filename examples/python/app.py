"""A scikit-learn model, published earlier, behind a canary: the same constructs as in TypeScript."""

from aws_cdk import App, Duration, Stack
from aws_cdk.aws_s3 import Bucket
from cdk_fledge import Capacity, ModelArtifact, ModelEndpoint, Rollout, Scaling, ServingImage

# What `fledge publish` printed.
DIGEST = "5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"

app = App()
stack = Stack(app, "PythonEndpoint")
models = Bucket.from_bucket_name(stack, "Models", "our-models")

endpoint = ModelEndpoint(
    stack,
    "FlightDelay",
    artifact=ModelArtifact.from_bucket(models, f"models/{DIGEST}.tar.gz", DIGEST),
    image=ServingImage.sklearn("1.4"),
    capacity=Capacity.instances(instance_type="ml.m5.large", min=2, max=6),
    scaling=[Scaling.invocations_per_instance(per_second=40)],
    rollout=Rollout.canary(percent=50, bake=Duration.minutes(15)),
)
endpoint.metric_model_latency(statistic="p99")

app.synth()
