/**
 * What one instance has.
 *
 * @internal
 */
export interface InstanceShape {
  /** e.g. `c7g`, `p6-b200`. */
  readonly family: string;
  readonly vcpus: number;
  /** NVIDIA GPUs; 0 for Inferentia, Trainium and Gaudi, whose use CloudWatch does not show. */
  readonly gpus: number;
  readonly memoryGib: number;
}

/** @internal */
export interface InstanceFamily {
  readonly gibPerVcpu: number;
  /** GPUs by size; `default` for sizes not named. */
  readonly gpus?: Record<string, number>;
  /**
   * Whether the model lies on local NVMe disks instead of an EBS volume. A KMS key on the endpoint configuration does not encrypt those: the
   * hardware does, with a key of its own.
   */
  readonly localStorage?: true;
}

const G5_GPUS = { default: 1, '12xlarge': 4, '24xlarge': 4, '48xlarge': 8 };
const G7_GPUS = { default: 1, '12xlarge': 2, '24xlarge': 4, '48xlarge': 8 };

/** The families that host endpoints; shapes as EC2 publishes them. */
const FAMILIES: Record<string, InstanceFamily> = {
  t2: { gibPerVcpu: 4 },
  m4: { gibPerVcpu: 4 },
  m5: { gibPerVcpu: 4 },
  m5d: { gibPerVcpu: 4, localStorage: true },
  m6g: { gibPerVcpu: 4 },
  m6gd: { gibPerVcpu: 4, localStorage: true },
  m6i: { gibPerVcpu: 4 },
  m7i: { gibPerVcpu: 4 },
  m8g: { gibPerVcpu: 4 },
  c4: { gibPerVcpu: 1.875 },
  c5: { gibPerVcpu: 2 },
  c5d: { gibPerVcpu: 2, localStorage: true },
  c6g: { gibPerVcpu: 2 },
  c6gd: { gibPerVcpu: 2, localStorage: true },
  c6gn: { gibPerVcpu: 2 },
  c6i: { gibPerVcpu: 2 },
  c6in: { gibPerVcpu: 2 },
  c7g: { gibPerVcpu: 2 },
  c7i: { gibPerVcpu: 2 },
  c8g: { gibPerVcpu: 2 },
  r5: { gibPerVcpu: 8 },
  r5d: { gibPerVcpu: 8, localStorage: true },
  r6g: { gibPerVcpu: 8 },
  r6gd: { gibPerVcpu: 8, localStorage: true },
  r6i: { gibPerVcpu: 8 },
  r7gd: { gibPerVcpu: 8, localStorage: true },
  r7i: { gibPerVcpu: 8 },
  r8g: { gibPerVcpu: 8 },
  g4dn: { gibPerVcpu: 4, gpus: { default: 1, '12xlarge': 4 }, localStorage: true },
  g5: { gibPerVcpu: 4, gpus: G5_GPUS, localStorage: true },
  g6: { gibPerVcpu: 4, gpus: G5_GPUS, localStorage: true },
  g6e: { gibPerVcpu: 8, gpus: G5_GPUS, localStorage: true },
  g7: { gibPerVcpu: 4, gpus: G7_GPUS, localStorage: true },
  g7e: { gibPerVcpu: 8, gpus: G7_GPUS, localStorage: true },
  p2: { gibPerVcpu: 15.25, gpus: { default: 1, '8xlarge': 8, '16xlarge': 16 } },
  p3: { gibPerVcpu: 7.625, gpus: { default: 1, '8xlarge': 4, '16xlarge': 8 } },
  p4d: { gibPerVcpu: 12, gpus: { default: 8 }, localStorage: true },
  p4de: { gibPerVcpu: 12, gpus: { default: 8 }, localStorage: true },
  p5: { gibPerVcpu: 16, gpus: { default: 8, '4xlarge': 1 }, localStorage: true },
  p5e: { gibPerVcpu: 2048 / 192, gpus: { default: 8 }, localStorage: true },
  p5en: { gibPerVcpu: 2048 / 192, gpus: { default: 8 }, localStorage: true },
  'p6-b200': { gibPerVcpu: 2048 / 192, gpus: { default: 8 }, localStorage: true },
  'p6-b300': { gibPerVcpu: 4096 / 192, gpus: { default: 8 }, localStorage: true },
  'p6e-gb200': { gibPerVcpu: 960 / 144, gpus: { default: 4 }, localStorage: true },
  inf1: { gibPerVcpu: 2 },
  inf2: { gibPerVcpu: 4 },
  trn1: { gibPerVcpu: 4, localStorage: true },
  trn1n: { gibPerVcpu: 4, localStorage: true },
  trn2: { gibPerVcpu: 2048 / 192, localStorage: true },
  dl1: { gibPerVcpu: 8, localStorage: true },
};

/** The few that leave their family's line. */
const EXCEPTIONS: Record<string, Partial<InstanceShape>> = {
  'ml.t2.medium': { vcpus: 2, memoryGib: 4 },
  'ml.t2.large': { memoryGib: 8 },
  'ml.c4.8xlarge': { vcpus: 36, memoryGib: 60 },
  'ml.p2.16xlarge': { memoryGib: 732 },
  'ml.p5.48xlarge': { memoryGib: 2048 },
  'ml.g7e.12xlarge': { memoryGib: 512 },
  'ml.g7e.24xlarge': { memoryGib: 1024 },
  'ml.g7e.48xlarge': { memoryGib: 2048 },
};

/**
 * What an instance type has, e.g. `ml.g5.2xlarge`: 8 vCPUs, 1 GPU, 32 GiB.
 *
 * @returns undefined for a family or size not known here
 * @internal
 */
export function instanceShape(instanceType: string): InstanceShape | undefined {
  const [family, size] = split(instanceType);
  const known = FAMILIES[family];
  const vcpus = vcpusOf(size);
  if (known === undefined || vcpus === undefined) return undefined;
  return {
    family,
    vcpus,
    gpus: known.gpus?.[size] ?? known.gpus?.default ?? 0,
    memoryGib: Math.round(vcpus * known.gibPerVcpu * 100) / 100,
    ...EXCEPTIONS[instanceType],
  };
}

/**
 * The family of an instance type.
 *
 * @returns undefined for one not known here
 * @internal
 */
export function instanceFamily(instanceType: string): InstanceFamily | undefined {
  return FAMILIES[split(instanceType)[0]];
}

function split(instanceType: string): [family: string, size: string] {
  const [, family = '', size = ''] = /^ml\.([a-z0-9-]+)\.([a-z0-9]+)$/.exec(instanceType) ?? [];
  return [family, size];
}

/** EC2's sizes: large is 2 vCPUs, xlarge 4, and n xlarge n times that. */
function vcpusOf(size: string): number | undefined {
  if (size === 'medium') return 1;
  if (size === 'large') return 2;
  const times = /^(\d*)xlarge$/.exec(size)?.[1];
  return times === undefined ? undefined : 4 * Number(times === '' ? 1 : times);
}
