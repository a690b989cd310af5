import type { RegistryFamily } from './image-accounts';

/**
 * One published version of a framework's inference image; each of `cpu`, `gpu`, `arm` is `repository:tag`, absent where AWS publishes none.
 *
 * @internal
 */
export interface PublishedImage {
  readonly cpu?: string;
  readonly gpu?: string;
  /** Graviton. */
  readonly arm?: string;
  /** Regions with an account but without this version. */
  readonly absentFrom: readonly string[];
  /** The same for the Graviton image. @default absentFrom */
  readonly armAbsentFrom?: readonly string[];
}

/** @internal */
export interface PublishedFramework {
  /** As a person writes it. */
  readonly title: string;
  readonly registry: RegistryFamily;
  /** Newest last. */
  readonly versions: Readonly<Record<string, PublishedImage>>;
}

const SECRET = ['eu-isoe-west-1', 'us-iso-east-1', 'us-isob-east-1', 'us-isof-east-1', 'us-isof-south-1'];
const NEW = ['ap-east-2', 'ap-southeast-5', 'ap-southeast-6', 'ap-southeast-7', 'mx-central-1'];
const SOVEREIGN = ['eusc-de-east-1'];
const UNOPENED = ['me-west-1'];

const COMMERCIAL = [...SECRET, ...SOVEREIGN, ...UNOPENED];
const WITH_MIDDLE_EAST_WEST = [...SECRET, ...SOVEREIGN];
const WITH_ISO = ['eu-isoe-west-1', 'us-isof-east-1', 'us-isof-south-1', ...SOVEREIGN, ...UNOPENED];
const WITH_ALL_ISO = ['eu-isoe-west-1', ...SOVEREIGN, ...UNOPENED];
const GOVERNMENT = ['us-gov-east-1', 'us-gov-west-1'];
const CHINA = ['cn-north-1', 'cn-northwest-1'];
const TRITON_FIRST = [...COMMERCIAL, ...GOVERNMENT, ...NEW, 'ap-south-2', 'ap-southeast-4', 'eu-central-2', 'eu-south-2', 'me-central-1'];

/** `repository:version-cpu-suffix` and its GPU twin. */
function pair(repository: string, prefix: string, suffix: string, absentFrom: readonly string[]): PublishedImage {
  return { cpu: `${repository}:${prefix}-cpu${suffix}`, gpu: `${repository}:${prefix}-gpu${suffix}`, absentFrom };
}

function pytorch(version: string, python: string, absentFrom: readonly string[], arm?: string): PublishedImage {
  return {
    ...pair('pytorch-inference', version, `-${python}`, absentFrom),
    ...(arm !== undefined && { arm: `${arm}-sagemaker`, armAbsentFrom: COMMERCIAL }),
  };
}

function tensorflow(version: string, absentFrom: readonly string[], armAbsentFrom?: readonly string[], suffix = ''): PublishedImage {
  return {
    ...pair('tensorflow-inference', version, suffix, absentFrom),
    ...(armAbsentFrom && { arm: `tensorflow-inference-graviton:${version}-cpu-py310-ubuntu20.04-sagemaker`, armAbsentFrom }),
  };
}

function huggingface(torch: string, transformers: string, python: string, cpu: string, gpu: string): PublishedImage {
  const start = `huggingface-pytorch-inference:${torch}-transformers${transformers}`;
  return { cpu: `${start}-cpu-${python}-${cpu}`, gpu: `${start}-gpu-${python}-${gpu}`, absentFrom: [...WITH_ISO, ...NEW] };
}

function triton(version: string, absentFrom: readonly string[]): PublishedImage {
  return { cpu: `sagemaker-tritonserver:${version}-py3-cpu`, gpu: `sagemaker-tritonserver:${version}-py3`, absentFrom };
}

function djl(tag: string, absentFrom: readonly string[] = UNOPENED): PublishedImage {
  return { gpu: `djl-inference:${tag}`, absentFrom };
}

function sklearn(version: string, arm?: string): PublishedImage {
  const repository = 'sagemaker-scikit-learn';
  return { cpu: `${repository}:${version}-cpu-py3`, ...(arm !== undefined && { arm: `${repository}:${arm}` }), absentFrom: [] };
}

/** XGBoost's image serves CPU and GPU instances alike. */
function xgboost(version: string, arm?: string): PublishedImage {
  const image = `sagemaker-xgboost:${version}`;
  return { cpu: image, gpu: image, ...(arm !== undefined && { arm: `sagemaker-xgboost:${arm}` }), absentFrom: [] };
}

const DJL_WITHOUT_ISO = [...SECRET, ...UNOPENED];

/**
 * The inference images that AWS publishes, by framework and version.
 *
 * From sagemaker-core 2.27.0 on PyPI, `sagemaker/core/image_uri_config/<framework>.json`: the keys `inference` and `inference_graviton`, with
 * tags as its `image_uris.retrieve` joins them. Older versions than these are reached by `ServingImage.fromEcrRepository`.
 *
 * @internal
 */
export const IMAGE_CATALOGUE = {
  sklearn: {
    title: 'scikit-learn',
    registry: 'algorithms',
    versions: {
      '0.23-1': sklearn('0.23-1'),
      '1.0-1': sklearn('1.0-1', '1.0-1-arm64-cpu-py3'),
      '1.2-1': sklearn('1.2-1'),
      '1.4-2-py312': sklearn('1.4-2-py312'),
      '1.9-0': sklearn('1.9-0'),
    },
  },
  xgboost: {
    title: 'XGBoost',
    registry: 'algorithms',
    versions: {
      '1.2-2': xgboost('1.2-2'),
      '1.3-1': xgboost('1.3-1', '1.3-1-arm64'),
      '1.5-1': xgboost('1.5-1', '1.5-1-arm64'),
      '1.7-1': xgboost('1.7-1'),
      '3.0-5': xgboost('3.0-5'),
      '3.2-0': xgboost('3.2-0'),
    },
  },
  pytorch: {
    title: 'PyTorch',
    registry: 'deep-learning',
    versions: {
      '2.0.1': pytorch('2.0.1', 'py310', WITH_ISO, 'pytorch-inference-graviton:2.0.1-cpu-py310-ubuntu20.04'),
      '2.1.0': pytorch('2.1.0', 'py310', WITH_ALL_ISO, 'pytorch-inference-graviton:2.1.0-cpu-py310-ubuntu20.04'),
      '2.2.0': pytorch('2.2.0', 'py310', WITH_ALL_ISO),
      '2.3.0': pytorch('2.3.0', 'py311', COMMERCIAL, 'pytorch-inference-graviton:2.3.0-cpu-py311-ubuntu20.04'),
      '2.4.0': pytorch('2.4.0', 'py311', COMMERCIAL, 'pytorch-inference-graviton:2.4.0-cpu-py311-ubuntu22.04'),
      '2.5.1': pytorch('2.5.1', 'py311', COMMERCIAL),
      '2.6.0': pytorch('2.6.0', 'py312', WITH_MIDDLE_EAST_WEST, 'pytorch-inference-arm64:2.6.0-cpu-py312-ubuntu22.04'),
    },
  },
  tensorflow: {
    title: 'TensorFlow',
    registry: 'deep-learning',
    versions: {
      '2.12.1': tensorflow('2.12.1', WITH_ISO, WITH_ISO),
      '2.13.0': tensorflow('2.13.0', WITH_ALL_ISO, WITH_ISO),
      '2.14.1': tensorflow('2.14.1', WITH_ALL_ISO, WITH_ISO),
      '2.16.1': tensorflow('2.16.1', COMMERCIAL, COMMERCIAL),
      '2.18.0': tensorflow('2.18.0', COMMERCIAL),
      '2.19.0': tensorflow('2.19.0', COMMERCIAL),
      '2.20.0': tensorflow('2.20.0', COMMERCIAL, undefined, '-py312'),
    },
  },
  huggingface: {
    title: 'Hugging Face',
    registry: 'deep-learning',
    versions: {
      '4.26.0': huggingface('1.13.1', '4.26.0', 'py39', 'ubuntu20.04', 'cu117-ubuntu20.04'),
      '4.28.1': huggingface('2.0.0', '4.28.1', 'py310', 'ubuntu20.04', 'cu118-ubuntu20.04'),
      '4.37.0': huggingface('2.1.0', '4.37.0', 'py310', 'ubuntu22.04', 'cu118-ubuntu20.04'),
      '4.48.0': huggingface('2.3.0', '4.48.0', 'py311', 'ubuntu22.04', 'cu121-ubuntu22.04'),
      '4.49.0': huggingface('2.6.0', '4.49.0', 'py312', 'ubuntu22.04', 'cu124-ubuntu22.04'),
      '4.51.3': huggingface('2.6.0', '4.51.3', 'py312', 'ubuntu22.04', 'cu124-ubuntu22.04'),
      '5.5.3': huggingface('2.6.0', '5.5.3', 'py312', 'ubuntu22.04', 'cu124-ubuntu22.04'),
    },
  },
  triton: {
    title: 'Triton',
    registry: 'deep-learning',
    versions: {
      '23.12': triton('23.12', TRITON_FIRST),
      '24.01': triton('24.01', TRITON_FIRST),
      '24.03': triton('24.03', TRITON_FIRST),
      '24.05': triton('24.05', TRITON_FIRST),
      '24.09': triton('24.09', TRITON_FIRST),
      '25.04': triton('25.04', [...COMMERCIAL, ...GOVERNMENT, 'ap-southeast-6']),
      '25.09': triton('25.09', [...COMMERCIAL, ...GOVERNMENT, ...CHINA]),
      '26.05': triton('26.05', [...COMMERCIAL, ...GOVERNMENT, ...CHINA]),
    },
  },
  djl: {
    title: 'DJL',
    registry: 'deep-learning',
    versions: {
      '0.28.0': djl('0.28.0-lmi10.0.0-cu124'),
      '0.29.0': djl('0.29.0-lmi11.0.0-cu124', DJL_WITHOUT_ISO),
      '0.30.0': djl('0.30.0-lmi12.0.0-cu124', DJL_WITHOUT_ISO),
      '0.31.0': djl('0.31.0-lmi13.0.0-cu124', DJL_WITHOUT_ISO),
      '0.32.0': djl('0.32.0-lmi14.0.0-cu126', DJL_WITHOUT_ISO),
      '0.33.0': djl('0.33.0-lmi15.0.0-cu128'),
      '0.34.0': djl('0.34.0-lmi16.0.0-cu128'),
      '0.35.0': djl('0.35.0-lmi17.0.0-cu128'),
      '0.36.0': djl('0.36.0-lmi27.0.0-cu130'),
      '0.38.0': djl('0.38.0-lmi29.0.0-cu130'),
    },
  },
} as const satisfies Record<string, PublishedFramework>;

/** @internal */
export type CataloguedFramework = keyof typeof IMAGE_CATALOGUE;
