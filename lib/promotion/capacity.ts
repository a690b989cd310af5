import { DescribeModelPackageCommand, type ProductionVariant } from '@aws-sdk/client-sagemaker';
import { PACKAGE_METADATA } from './package-metadata';
import type { Ports } from './ports';

/** What a version wants to be served on; what is left out is as the live version has it. */
export type WantedCapacity = Pick<ProductionVariant, 'InstanceType' | 'InitialInstanceCount'>;

/** @throws Error where the package's metadata names no instance type or no number of instances */
export async function wantedCapacity(ports: Ports, modelPackageArn: string): Promise<WantedCapacity> {
  const modelPackage = await ports.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: modelPackageArn }));
  const type = modelPackage.CustomerMetadataProperties?.[PACKAGE_METADATA.instanceType];
  const count = modelPackage.CustomerMetadataProperties?.[PACKAGE_METADATA.instanceCount];
  if (type !== undefined && !/^ml\.[a-z0-9-]+\.[a-z0-9-]+$/.test(type))
    throw new Error(`the model package's ${PACKAGE_METADATA.instanceType} is '${type}', which is no instance type like ml.c7g.large`);
  if (count !== undefined && !/^[1-9]\d{0,3}$/.test(count))
    throw new Error(`the model package's ${PACKAGE_METADATA.instanceCount} is '${count}', which is no number of instances from 1 to 9999`);
  return {
    ...(type === undefined ? {} : { InstanceType: type as ProductionVariant['InstanceType'] }),
    ...(count === undefined ? {} : { InitialInstanceCount: Number(count) }),
  };
}
