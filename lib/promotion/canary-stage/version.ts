import { CfnModelPackage, CfnModelPackageGroup } from 'aws-cdk-lib/aws-sagemaker';
import { RemovalPolicy, Stack, Token } from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import type { HandedOver } from '../../endpoint/owner';
import { requireSageMakerName } from '../../endpoint/sagemaker-name';
import { markOf } from '../names';
import { PACKAGE_METADATA } from '../package-metadata';
import { STAGE_TAGS } from '../stage-tags';

/** What the containers of this package and AWS's own take and give. */
const CONTENT_TYPES = ['application/json', 'application/x-npy', 'text/csv'];

/** @internal */
export interface PublishedVersionProps {
  readonly handed: HandedOver;
  readonly groupName?: string;
  readonly approved: boolean;
  readonly bucketName: string;
}

/**
 * The version that the template deploys, in the registry: a new artifact, image, environment or instance type is a new model package, and the one before stays when
 * the template moves on. The same content is the same resource, so that deploying again starts nothing.
 *
 * @internal
 */
export class PublishedVersion extends Construct {
  public readonly groupName: string;
  /** Absent where the group is not this template's. */
  public readonly group?: CfnModelPackageGroup;
  public readonly modelPackageArn: string;
  /** Absent as the group is. */
  public readonly resource?: CfnModelPackage;

  /** @throws Error where the group cannot be told */
  constructor(scope: Construct, id: string, { handed, groupName, approved, bucketName }: PublishedVersionProps) {
    super(scope, id);
    if (groupName !== undefined && !Token.isUnresolved(groupName)) requireSageMakerName("a model package group's", groupName);
    const { container, dependencies, digest } = handed.model;
    if (container.modelPackageName !== undefined) {
      this.groupName = groupName ?? groupOf(container.modelPackageName);
      this.modelPackageArn = container.modelPackageName;
      return;
    }
    this.groupName = groupName ?? handed.served.endpointName;
    const group = new CfnModelPackageGroup(this, 'Group', {
      modelPackageGroupName: this.groupName,
      modelPackageGroupDescription: `versions of the SageMaker endpoint ${handed.served.endpointName}`,
      tags: [{ key: STAGE_TAGS.bucket, value: bucketName }],
    });
    this.group = group;
    // Its versions are the record of what was served; but a deployment that fails to make it must be able to make it again.
    group.applyRemovalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE);

    const properties = {
      modelPackageGroupName: this.groupName,
      inferenceSpecification: {
        containers: [
          {
            image: container.image!,
            modelDataUrl: container.modelDataUrl,
            modelDataSource: container.modelDataSource,
            environment: container.environment,
          },
        ],
        supportedContentTypes: CONTENT_TYPES,
        supportedResponseMimeTypes: CONTENT_TYPES,
      },
      customerMetadataProperties: {
        ...(digest !== undefined && { [PACKAGE_METADATA.digest]: digest }),
        [PACKAGE_METADATA.instanceType]: handed.served.instanceType!,
        [PACKAGE_METADATA.instanceCount]: `${handed.served.minCapacity}`,
      },
    };
    const content = markOf(JSON.stringify(Stack.of(this).resolve(properties)));
    const version = new CfnModelPackage(this, `Version-${content}`, {
      ...properties,
      modelApprovalStatus: approved ? 'Approved' : 'PendingManualApproval',
      approvalDescription: approved ? 'approved by deploying it' : undefined,
    });
    // SageMaker takes tags on the group alone, and refuses to make a version with any.
    version.addPropertyDeletionOverride('Tags');
    version.addResourceDependency(group);
    version.node.addDependency(dependencies);
    // Not as the group: a version of an update that goes back may be live by then.
    version.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.resource = version;
    this.modelPackageArn = version.ref;
  }
}

function groupOf(modelPackageArn: string): string {
  const group = Token.isUnresolved(modelPackageArn) ? undefined : /model-package\/([^/]+)\//.exec(modelPackageArn)?.[1];
  if (group !== undefined) return group;
  throw new Error(`the group of the model package ${modelPackageArn} cannot be read at synth: give modelPackageGroupName`);
}
