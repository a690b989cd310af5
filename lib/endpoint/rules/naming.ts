import { isSageMakerName } from '../sagemaker-name';
import { CONFIG, ENDPOINT, findIf, MODEL, type Rule } from './rule';
import { at, list, record, type TemplateResource, text } from './template';

const REPLACED = 'https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-endpointconfig.html';

/** A model has one container or several. */
function containersOf(model: TemplateResource): { location: string; container: Record<string, unknown> }[] {
  const { PrimaryContainer, Containers } = model.properties;
  return [
    ...(PrimaryContainer === undefined ? [] : [{ location: 'PrimaryContainer', container: record(PrimaryContainer) }]),
    ...list(Containers).map((container, index) => ({ location: `Containers.${index}`, container: record(container) })),
  ];
}

/** Names that stand in the way of replacement, and bytes that change under one name. */
export const namingRules: Rule[] = [
  {
    id: 'model-has-literal-name',
    says: 'The model has a literal name. Every change replaces a model, and two cannot have one name: the second deployment fails.',
    remedy: 'Leave ModelName out: CloudFormation makes one.',
    source: 'https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sagemaker-model.html',
    severity: 'error',
    types: [MODEL],
    check: ({ properties: { ModelName } }) => findIf(text(ModelName) !== undefined, 'ModelName', ModelName),
  },
  {
    id: 'endpoint-config-has-literal-name',
    says: 'The endpoint configuration has a literal name. Every change replaces it, and two cannot have one name: the second deployment fails.',
    remedy: 'Leave EndpointConfigName out: CloudFormation makes one.',
    source: REPLACED,
    severity: 'error',
    types: [CONFIG],
    check: ({ properties: { EndpointConfigName } }) =>
      findIf(text(EndpointConfigName) !== undefined, 'EndpointConfigName', EndpointConfigName),
  },
  {
    id: 'endpoint-has-no-literal-name',
    says: 'The endpoint has no literal name. Its callers find it by a name that a replacement changes, and its rollback alarms cannot name it without a cycle.',
    remedy: 'Write out a stable EndpointName.',
    source: 'https://github.com/aws/aws-cdk/issues/2231',
    severity: 'error',
    types: [ENDPOINT],
    check: ({ properties: { EndpointName } }) => findIf(EndpointName === undefined, 'EndpointName', 'none'),
  },
  {
    id: 'endpoint-name-is-invalid',
    says: 'The endpoint’s name is one that SageMaker refuses.',
    remedy: 'Use 1 to 63 letters, digits and inner hyphens.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateEndpoint.html',
    severity: 'error',
    types: [ENDPOINT],
    check: ({ properties: { EndpointName } }) => {
      const name = text(EndpointName);
      return findIf(name !== undefined && !isSageMakerName(name), 'EndpointName', EndpointName);
    },
  },
  {
    id: 'image-tag-can-move',
    says: 'The image’s tag is latest, or none. A new image under it deploys nothing, and a new instance may start another version than its neighbours.',
    remedy: 'Name a version’s tag, or the digest.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html',
    severity: 'warning',
    types: [MODEL],
    check: (model) =>
      containersOf(model).flatMap(({ location, container }) => {
        const image = text(container.Image);
        return findIf(image !== undefined && (/:latest$/.test(image) || !/[:@][^/]+$/.test(image)), `${location}.Image`, image);
      }),
  },
  {
    id: 'archive-is-no-tar-gz',
    says: 'ModelDataUrl names no .tar.gz. SageMaker downloads nothing else by it.',
    remedy: 'Pack the model as .tar.gz, or use ModelDataSource for an uncompressed prefix.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html',
    severity: 'error',
    types: [MODEL],
    check: (model) =>
      containersOf(model).flatMap(({ location, container }) => {
        const url = text(container.ModelDataUrl);
        return findIf(url !== undefined && container.Mode !== 'MultiModel' && !url.endsWith('.tar.gz'), `${location}.ModelDataUrl`, url);
      }),
  },
  {
    id: 'prefix-has-no-slash',
    says: 'ModelDataSource names a prefix that does not end in a slash. SageMaker refuses it, or takes the neighbours of the same beginning too.',
    remedy: 'End S3Uri in /.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_S3ModelDataSource.html',
    severity: 'error',
    types: [MODEL],
    check: (model) =>
      containersOf(model).flatMap(({ location, container }) => {
        const source = record(at(container, 'ModelDataSource', 'S3DataSource'));
        const uri = text(source.S3Uri);
        return findIf(
          source.S3DataType === 'S3Prefix' && uri !== undefined && !uri.endsWith('/'),
          `${location}.ModelDataSource.S3DataSource.S3Uri`,
          uri,
        );
      }),
  },
  {
    id: 'environment-holds-secret',
    says: 'The container’s environment has a secret written out. Whoever may describe the model reads it.',
    remedy: 'Keep it in Secrets Manager, and let the container fetch it by its role.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html',
    severity: 'warning',
    types: [MODEL],
    check: (model) =>
      containersOf(model).flatMap(({ location, container }) =>
        Object.entries(record(container.Environment)).flatMap(([name, value]) =>
          // The value itself is not for a report.
          findIf(text(value) !== undefined && SECRET.test(name), `${location}.Environment.${name}`, 'a literal'),
        ),
      ),
  },
  {
    id: 'environment-too-large',
    says: 'The container’s environment has more than 100 entries or 32 KiB: SageMaker refuses it.',
    remedy: 'Put settings into a file beside the model.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ContainerDefinition.html',
    severity: 'error',
    types: [MODEL],
    check: (model) =>
      containersOf(model).flatMap(({ location, container }) => {
        const environment = Object.entries(record(container.Environment));
        const bytes = environment.reduce((sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text(value) ?? ''), 0);
        return findIf(
          environment.length > 100 || bytes > 32_768,
          `${location}.Environment`,
          `${environment.length} entries, ${bytes} bytes`,
        );
      }),
  },
  {
    id: 'vpc-has-one-subnet',
    says: 'The model stands in one subnet: with its zone the endpoint fails.',
    remedy: 'Name at least two subnets of different availability zones.',
    source: 'https://docs.aws.amazon.com/sagemaker/latest/dg/host-vpc.html',
    severity: 'warning',
    types: [MODEL],
    check: ({ properties }) => {
      const subnets = at(properties, 'VpcConfig', 'Subnets');
      return findIf(Array.isArray(subnets) && subnets.length < 2, 'VpcConfig.Subnets', subnets);
    },
  },
];

const SECRET = /(password|passwd|secret|private_?key|access_?key|api_?key|auth_?token|(^|_)token$)/i;
