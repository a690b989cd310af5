import { DescribeModelPackageCommand } from '@aws-sdk/client-sagemaker';
import { type Base, packageOf } from './configurations';
import type { Ports } from './ports';
import { note, type Start } from './record';
import type { PromotionRequest } from './request';
import type { Store } from './store';
import { earlierTries } from './tries';

/** Writes down what a rollback and a reviewer ask for later: what was live, what the approval said, and how often the version was tried before. */
export async function noteStart(ports: Ports, store: Store, request: PromotionRequest, base: Base): Promise<Start> {
  const modelName = base.variant.ModelName!;
  const modelPackage = await ports.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: request.modelPackageArn }));
  const start: Start = {
    configName: base.configName,
    modelName,
    modelPackageArn: await packageOf(ports, modelName),
    approval: modelPackage.ApprovalDescription ?? '',
    earlierTries: await earlierTries(store, request),
  };
  const sentence = [
    ...(start.approval === '' ? [] : [start.approval]),
    `live is ${start.modelPackageArn ?? `the model ${modelName}`}`,
    ...(start.earlierTries === 0 ? [] : [`tried before and not promoted: ${start.earlierTries}`]),
  ].join('; ');
  await note(store, request, '001-start', { at: ports.now(), what: 'start', sentence, start });
  return start;
}
