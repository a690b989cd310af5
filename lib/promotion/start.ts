import { DescribeModelCommand, DescribeModelPackageCommand } from '@aws-sdk/client-sagemaker';
import type { Base } from './configurations';
import type { Ports } from './ports';
import { note, type Start } from './record';
import type { PromotionRequest } from './request';
import type { Store } from './store';

/** Writes down what a rollback and a reviewer ask for later: what was live, and what the approval said. */
export async function noteStart(ports: Ports, store: Store, request: PromotionRequest, base: Base): Promise<void> {
  const modelName = base.variant.ModelName!;
  const live = await ports.sagemaker.send(new DescribeModelCommand({ ModelName: modelName }));
  const modelPackage = await ports.sagemaker.send(new DescribeModelPackageCommand({ ModelPackageName: request.modelPackageArn }));
  const start: Start = {
    configName: base.configName,
    modelName,
    modelPackageArn: (live.PrimaryContainer ?? live.Containers?.[0])?.ModelPackageName ?? null,
    approval: modelPackage.ApprovalDescription ?? '',
  };
  const sentence = `${start.approval === '' ? '' : `${start.approval}; `}live is ${start.modelPackageArn ?? `the model ${modelName}`}`;
  await note(store, request, '001-start', { at: ports.now(), what: 'start', sentence, start });
}
