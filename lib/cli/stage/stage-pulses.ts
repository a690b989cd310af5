import { DescribeEndpointCommand } from '@aws-sdk/client-sagemaker';
import { CANDIDATE, type PromotionRequest } from '../../promotion';
import { type Pulses, pulsesOf } from '../pulse';
import type { Stage } from './stage';

/** How both variants of a stage's endpoint do now; in words why that is not known, where AWS does not say. */
export async function stagePulses({ ports, endpoint }: Stage, { plan }: Pick<PromotionRequest, 'plan'>): Promise<Pulses | string> {
  try {
    const { ProductionVariants = [] } = await ports.sagemaker.send(new DescribeEndpointCommand({ EndpointName: endpoint }));
    const live = ProductionVariants.find(({ VariantName }) => VariantName !== CANDIDATE)!.VariantName!;
    return await pulsesOf(ports, endpoint, live, plan.binSeconds ?? 60);
  } catch (error) {
    return `requests, 5xx and latency are not shown: ${(error as Error).message}`;
  }
}
