import {
  ApplicationAutoScalingClient,
  DeleteScalingPolicyCommand,
  DeregisterScalableTargetCommand,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient, DeleteAlarmsCommand, PutMetricAlarmCommand } from '@aws-sdk/client-cloudwatch';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import {
  CreateEndpointCommand,
  CreateModelPackageCommand,
  CreateModelPackageGroupCommand,
  DeleteEndpointCommand,
  DeleteModelPackageCommand,
  DeleteModelPackageGroupCommand,
  DescribeEndpointCommand,
  SageMakerClient,
  UpdateEndpointCommand,
  waitUntilEndpointDeleted,
} from '@aws-sdk/client-sagemaker';
import scalingModel from '../../../lib/local/shapes/application-autoscaling.json';
import cloudwatchModel from '../../../lib/local/shapes/cloudwatch.json';
import { type ServiceModel, type ShapeReference, shapeName } from '../../../lib/local/shapes/model';
import sagemakerModel from '../../../lib/local/shapes/sagemaker.json';
import type { StandInType } from './stand-ins';

/** CloudFormation's request to a custom resource, as far as it is read here. */
interface Request {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: { readonly Of: StandInType; readonly Given: Given };
  readonly OldResourceProperties?: { readonly Given: Given };
}

/** A resource's properties, as CloudFormation has them: SageMaker's API has the same names. */
// biome-ignore lint/suspicious/noExplicitAny: what a template holds
type Given = Record<string, any>;

interface Made {
  /** What `Ref` gives. */
  readonly ref: string;
  readonly attributes?: Record<string, unknown>;
}

interface Kind {
  readonly input: readonly [model: unknown, operation: string];
  create(given: Given): Promise<Made>;
  /** @default - replaced */
  update?(given: Given, before: Given): Promise<Made>;
  delete(given: Given, ref: string): Promise<unknown>;
}

const sagemaker = new SageMakerClient();
const cloudwatch = new CloudWatchClient();
const scaling = new ApplicationAutoScalingClient();
/** MiniStack's S3, where the stack's buckets are. */
const s3 = new S3Client({ forcePathStyle: true });
/** The local SageMaker's S3, where it looks for model data. */
const itsS3 = new S3Client({ forcePathStyle: true, endpoint: process.env.AWS_ENDPOINT_URL_SAGEMAKER });

const endpoint = async ({ EndpointName, EndpointConfigName }: Given): Promise<Made> => {
  for (;;) {
    const found = await sagemaker.send(new DescribeEndpointCommand({ EndpointName }));
    if (found.EndpointStatus === 'InService' && found.EndpointConfigName === EndpointConfigName)
      return { ref: found.EndpointArn!, attributes: { EndpointName } };
    if (!/ing$/.test(found.EndpointStatus!)) throw new Error(`${EndpointName} is ${found.EndpointStatus}: ${found.FailureReason}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
};

const register = async (given: Given): Promise<Made> => {
  await scaling.send(new RegisterScalableTargetCommand(given as never));
  const ref = [given.ResourceId, given.ScalableDimension, given.ServiceNamespace].join('|');
  return { ref, attributes: { Id: ref } };
};

const putPolicy = async (given: Given): Promise<Made> => ({
  ref: (await scaling.send(new PutScalingPolicyCommand(given as never))).PolicyARN!,
});

const putAlarm = async (given: Given): Promise<Made> => {
  await cloudwatch.send(new PutMetricAlarmCommand(given as never));
  return {
    ref: given.AlarmName,
    attributes: { Arn: `arn:aws:cloudwatch:${process.env.AWS_REGION}:000000000000:alarm:${given.AlarmName}` },
  };
};

/** Each with the input that its properties are, by the service model. */
const KINDS: Record<StandInType, Kind> = {
  'AWS::ApplicationAutoScaling::ScalableTarget': {
    input: [scalingModel, 'RegisterScalableTarget'],
    create: register,
    update: register,
    delete: ({ ServiceNamespace, ResourceId, ScalableDimension }) =>
      scaling.send(new DeregisterScalableTargetCommand({ ServiceNamespace, ResourceId, ScalableDimension })),
  },
  'AWS::ApplicationAutoScaling::ScalingPolicy': {
    input: [scalingModel, 'PutScalingPolicy'],
    create: putPolicy,
    update: putPolicy,
    delete: ({ PolicyName, ServiceNamespace, ResourceId, ScalableDimension }) =>
      scaling.send(new DeleteScalingPolicyCommand({ PolicyName, ServiceNamespace, ResourceId, ScalableDimension })),
  },
  'AWS::CloudWatch::Alarm': {
    input: [cloudwatchModel, 'PutMetricAlarm'],
    create: putAlarm,
    update: putAlarm,
    delete: ({ AlarmName }) => cloudwatch.send(new DeleteAlarmsCommand({ AlarmNames: [AlarmName] })),
  },
  'AWS::SageMaker::Endpoint': {
    input: [sagemakerModel, 'CreateEndpoint'],
    create: async (given) => {
      await sagemaker.send(new CreateEndpointCommand(given as never));
      return endpoint(given);
    },
    update: async (given, before) => {
      if (given.EndpointConfigName !== before.EndpointConfigName) await sagemaker.send(new UpdateEndpointCommand(given as never));
      return endpoint(given);
    },
    delete: async ({ EndpointName }) => {
      await sagemaker.send(new DeleteEndpointCommand({ EndpointName }));
      await waitUntilEndpointDeleted({ client: sagemaker, maxWaitTime: 60, minDelay: 1, maxDelay: 1 }, { EndpointName });
    },
  },
  'AWS::SageMaker::ModelPackage': {
    input: [sagemakerModel, 'CreateModelPackage'],
    create: async (given) => {
      await bringData(given.InferenceSpecification.Containers[0].ModelDataUrl);
      const { ModelPackageArn } = await sagemaker.send(new CreateModelPackageCommand(given as never));
      return { ref: ModelPackageArn!, attributes: { ModelPackageArn } };
    },
    delete: (_, ModelPackageName) => sagemaker.send(new DeleteModelPackageCommand({ ModelPackageName })),
  },
  'AWS::SageMaker::ModelPackageGroup': {
    input: [sagemakerModel, 'CreateModelPackageGroup'],
    create: async (given) => {
      const { ModelPackageGroupArn } = await sagemaker.send(new CreateModelPackageGroupCommand(given as never));
      return { ref: ModelPackageGroupArn!, attributes: { ModelPackageGroupArn } };
    },
    delete: ({ ModelPackageGroupName }) => sagemaker.send(new DeleteModelPackageGroupCommand({ ModelPackageGroupName })),
  },
};

/** Copies model data to where the local SageMaker looks for it. */
async function bringData(url: string): Promise<void> {
  const [, Bucket, Key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(url) ?? [];
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  await itsS3.send(new CreateBucketCommand({ Bucket })).catch(() => undefined);
  await itsS3.send(new PutObjectCommand({ Bucket, Key, Body: await Body!.transformToByteArray() }));
}

/**
 * CloudFormation hands every number and every yes or no to a custom resource as text: the service model says what they were.
 *
 * @throws Error for a property that the API does not have
 */
function typed(model: ServiceModel, reference: ShapeReference, value: unknown): unknown {
  const name = shapeName(reference);
  const { type, members, member } = model.shapes[name];
  switch (type) {
    case 'structure':
      return Object.fromEntries(
        Object.entries(value as Given).map(([key, inner]) => {
          if (!(key in members!)) throw new Error(`${name} has no ${key}`);
          return [key, typed(model, members![key], inner)];
        }),
      );
    case 'list':
      return (value as unknown[]).map((one) => typed(model, member!, one));
    case 'boolean':
      return String(value) === 'true';
    case 'integer':
    case 'long':
    case 'float':
    case 'double':
      return Number(value);
    default:
      return value;
  }
}

/** What CloudFormation's own handlers make of properties that the API does not have by these names. */
function inputOf(type: StandInType, given: Given): Given {
  const { ScalingTargetId, ApprovalDescription: _, ...rest } = given;
  const [model, operation] = KINDS[type].input as [ServiceModel, string];
  const [ResourceId, ScalableDimension, ServiceNamespace] = String(ScalingTargetId).split('|');
  const named = ScalingTargetId === undefined ? {} : { ResourceId, ScalableDimension, ServiceNamespace };
  return typed(model, model.operations[operation].input!, { ...rest, ...named }) as Given;
}

async function carryOut(request: Request): Promise<Made> {
  const { RequestType, PhysicalResourceId, ResourceProperties, OldResourceProperties } = request;
  const { Of, Given } = ResourceProperties;
  const kind = KINDS[Of];
  const given = inputOf(Of, Given);
  if (RequestType === 'Create' || (RequestType === 'Update' && kind.update === undefined)) return kind.create(given);
  if (RequestType === 'Update') return kind.update!(given, inputOf(Of, OldResourceProperties!.Given));
  await kind.delete(given, PhysicalResourceId!);
  return { ref: PhysicalResourceId! };
}

export async function handler(request: Request): Promise<void> {
  const { StackId, RequestId, LogicalResourceId } = request;
  const answer = await carryOut(request).then(
    ({ ref, attributes }) => ({ Status: 'SUCCESS', PhysicalResourceId: ref, Data: attributes }),
    (error: Error) => ({
      Status: 'FAILED',
      PhysicalResourceId: request.PhysicalResourceId ?? LogicalResourceId,
      Reason: `${error.name}: ${error.message}`,
    }),
  );
  const body = JSON.stringify({ StackId, RequestId, LogicalResourceId, ...answer });
  await fetch(request.ResponseURL, { method: 'PUT', body });
}
