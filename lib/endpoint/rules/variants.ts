import { instanceFamily } from '../instance-type';
import { CONFIG, findIf, type Rule } from './rule';
import { modelOf, variantsOf } from './serving';
import { at, flag, number, record } from './template';

const SERVERLESS = 'https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html';
const SERVERLESS_CONFIG = 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariantServerlessConfig.html';
const VARIANT = 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProductionVariant.html';

/** What only instances have. */
const INSTANCE_FIELDS = [
  'InstanceType',
  'InitialInstanceCount',
  'AcceleratorType',
  'VolumeSizeInGB',
  'ManagedInstanceScaling',
  'RoutingConfig',
  'InferenceAmiVersion',
  'CapacityReservationConfig',
  'ModelDataDownloadTimeoutInSeconds',
  'ContainerStartupHealthCheckTimeoutInSeconds',
];

/** What a configuration asks of SageMaker and cannot get. */
export const variantRules: Rule[] = [
  {
    id: 'variant-names-repeat',
    says: 'Two variants have one name: SageMaker refuses the configuration.',
    remedy: 'Give each variant its own VariantName.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html',
    severity: 'error',
    types: [CONFIG],
    check: (config) => {
      const names = [...variantsOf(config), ...variantsOf(config, 'ShadowProductionVariants')].flatMap(({ name }) => name ?? []);
      const repeated = names.filter((name, index) => names.indexOf(name) !== index);
      return findIf(repeated.length > 0, 'ProductionVariants', repeated.join(', '));
    },
  },
  {
    id: 'serverless-has-instance-fields',
    says: 'A serverless variant has settings of instances: SageMaker refuses it.',
    remedy: 'Leave out the settings of instances, or ServerlessConfig.',
    source: SERVERLESS_CONFIG,
    severity: 'error',
    types: [CONFIG],
    check: (config) =>
      variantsOf(config).flatMap(({ serverless, properties }, index) => {
        const fields = INSTANCE_FIELDS.filter((field) => properties[field] !== undefined);
        return findIf(serverless && fields.length > 0, `ProductionVariants.${index}`, fields.join(', '));
      }),
  },
  {
    id: 'serverless-size-is-invalid',
    says: 'Serverless capacity is out of range: SageMaker refuses it.',
    remedy: 'Use 1024 to 6144 MB in steps of 1024, a MaxConcurrency of 1 to 200, and a ProvisionedConcurrency of at most that.',
    source: SERVERLESS_CONFIG,
    severity: 'error',
    types: [CONFIG],
    check: (config) =>
      variantsOf(config).flatMap(({ properties }, index) => {
        const serverless = record(properties.ServerlessConfig);
        const [memory, most, warm] = [serverless.MemorySizeInMB, serverless.MaxConcurrency, serverless.ProvisionedConcurrency].map(number);
        const location = `ProductionVariants.${index}.ServerlessConfig`;
        return [
          ...findIf(memory !== undefined && (memory < 1024 || memory > 6144 || memory % 1024 !== 0), `${location}.MemorySizeInMB`, memory),
          ...findIf(most !== undefined && (most < 1 || most > 200), `${location}.MaxConcurrency`, most),
          ...findIf(warm !== undefined && (warm < 1 || warm > Math.min(200, most ?? 200)), `${location}.ProvisionedConcurrency`, warm),
        ];
      }),
  },
  {
    id: 'serverless-with-excluded-feature',
    says: 'A serverless endpoint has what serverless endpoints exclude: data capture, several variants, a VPC, network isolation, a queue, or a model that is not one .tar.gz.',
    remedy: 'Use instances, or leave the feature out.',
    source: SERVERLESS,
    severity: 'error',
    types: [CONFIG],
    check: (config, app) => {
      const variants = variantsOf(config);
      if (!variants.some(({ serverless }) => serverless)) return [];
      const { properties } = config;
      return [
        ...findIf(flag(at(properties, 'DataCaptureConfig', 'EnableCapture')) === true, 'DataCaptureConfig', 'data capture'),
        ...findIf(properties.AsyncInferenceConfig !== undefined, 'AsyncInferenceConfig', 'a queue'),
        ...findIf(properties.VpcConfig !== undefined, 'VpcConfig', 'a VPC'),
        ...findIf(variants.length > 1, 'ProductionVariants', `${variants.length} variants`),
        ...variants.flatMap((variant, index) => {
          const model = modelOf(variant, config, app)?.properties;
          const location = `ProductionVariants.${index}.ModelName`;
          return [
            ...findIf(model?.VpcConfig !== undefined, location, 'a model in a VPC'),
            ...findIf(flag(model?.EnableNetworkIsolation) === true, location, 'a model isolated from the network'),
            ...findIf(at(model, 'PrimaryContainer', 'ModelDataSource') !== undefined, location, 'an uncompressed model'),
          ];
        }),
      ];
    },
  },
  {
    id: 'key-on-local-storage',
    says: 'KmsKeyId stands beside instances that keep the model on local NVMe disks. The key does not encrypt those, and until 2026-06-10 the API refused it.',
    remedy: 'Leave KmsKeyId out, as the hardware encrypts these disks; or acknowledge this where a policy demands the key.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpointConfig.html',
    severity: 'warning',
    types: [CONFIG],
    check: (config) => {
      if (config.properties.KmsKeyId === undefined) return [];
      const local = variantsOf(config).flatMap(({ instanceType }) =>
        instanceFamily(instanceType ?? '')?.localStorage ? [instanceType] : [],
      );
      return findIf(local.length > 0, 'KmsKeyId', local.join(', '));
    },
  },
  {
    id: 'records-not-encrypted',
    says: 'Captured requests, or the answers of an async endpoint, are stored without a customer key.',
    remedy: 'Set KmsKeyId in DataCaptureConfig, and in OutputConfig of AsyncInferenceConfig.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture.html',
    severity: 'warning',
    types: [CONFIG],
    check: ({ properties: { DataCaptureConfig: capture, AsyncInferenceConfig: queue } }) => [
      ...findIf(capture !== undefined && at(capture, 'KmsKeyId') === undefined, 'DataCaptureConfig', 'no KmsKeyId'),
      ...findIf(
        queue !== undefined && at(queue, 'OutputConfig', 'KmsKeyId') === undefined,
        'AsyncInferenceConfig.OutputConfig',
        'no KmsKeyId',
      ),
    ],
  },
  {
    id: 'network-isolation-contradicted',
    says: 'The configuration asks for network isolation, and a model of it is not isolated.',
    remedy: 'Set EnableNetworkIsolation on the model too.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/mkt-algo-model-internet-free.html',
    severity: 'error',
    types: [CONFIG],
    check: (config, app) => {
      if (flag(config.properties.EnableNetworkIsolation) !== true) return [];
      return variantsOf(config).flatMap((variant, index) => {
        const model = modelOf(variant, config, app)?.properties;
        const isolated = model?.EnableNetworkIsolation;
        return findIf(
          model !== undefined && (isolated === undefined || flag(isolated) === false),
          `ProductionVariants.${index}.ModelName`,
          'a model with network',
        );
      });
    },
  },
  {
    id: 'shadow-needs-one-of-each',
    says: 'A shadow test has exactly one production and one shadow variant: SageMaker refuses other numbers.',
    remedy: 'Leave one variant in each list.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/shadow-tests.html',
    severity: 'error',
    types: [CONFIG],
    check: (config) => {
      const [production, shadow] = [variantsOf(config).length, variantsOf(config, 'ShadowProductionVariants').length];
      return findIf(
        shadow > 0 && (production !== 1 || shadow !== 1),
        'ShadowProductionVariants',
        `${production} production, ${shadow} shadow`,
      );
    },
  },
  {
    id: 'no-variant-has-weight',
    says: 'Every variant has the weight 0: no request is answered.',
    remedy: 'Give one variant an InitialVariantWeight above 0.',
    source: VARIANT,
    severity: 'error',
    types: [CONFIG],
    check: (config) => {
      const weights = variantsOf(config).map(({ properties }) => number(properties.InitialVariantWeight) ?? 1);
      return findIf(weights.length > 0 && weights.every((weight) => weight === 0), 'ProductionVariants', weights.join(', '));
    },
  },
  {
    id: 'start-timeout-is-invalid',
    says: 'A download or start-up timeout is out of range: SageMaker refuses it.',
    remedy: 'Use 60 to 3600 s.',
    source: VARIANT,
    severity: 'error',
    types: [CONFIG],
    check: (config) =>
      variantsOf(config).flatMap(({ properties }, index) =>
        ['ModelDataDownloadTimeoutInSeconds', 'ContainerStartupHealthCheckTimeoutInSeconds'].flatMap((field) => {
          const seconds = number(properties[field]);
          return findIf(seconds !== undefined && (seconds < 60 || seconds > 3600), `ProductionVariants.${index}.${field}`, seconds);
        }),
      ),
  },
];
