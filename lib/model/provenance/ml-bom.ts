import type { ContentDigest } from '../digest';
import type { Inspection, TensorSpec } from '../inspect';

export interface MlBomOptions {
  /** When the bill was made, as ISO 8601. @default - left out, so that equal models give an equal bill */
  readonly timestamp?: string;
}

/** A CycloneDX 1.6 bill of materials for machine learning, as a JSON document: the model, its files, what it was trained on and with. */
export function mlBom(inspection: Inspection, content: ContentDigest, options: MlBomOptions = {}): Record<string, unknown> {
  const ref = `model:${inspection.name}@${content.digest}`;
  const libraries = Object.entries(inspection.needs.packages).map(([name, version]) => ({
    type: 'library',
    'bom-ref': `pkg:pypi/${name.toLowerCase()}@${version}`,
    name,
    version,
    purl: `pkg:pypi/${name.toLowerCase()}@${encodeURIComponent(version)}`,
  }));
  const files = content.manifest
    .filter(({ path }) => !path.endsWith('/'))
    .map(({ path, sha256, size }) => ({
      type: 'file',
      'bom-ref': `file:${path}`,
      name: path,
      hashes: [{ alg: 'SHA-256', content: sha256 }],
      properties: [{ name: 'cdk-fledge:bytes', value: String(size) }],
    }));
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(content.digest)}`,
    version: 1,
    metadata: {
      ...(options.timestamp === undefined ? {} : { timestamp: options.timestamp }),
      component: modelComponent(inspection, content, ref),
    },
    components: [...libraries, ...files],
    dependencies: [
      { ref, dependsOn: [...libraries, ...files].map((component) => component['bom-ref']) },
      ...[...libraries, ...files].map((component) => ({ ref: component['bom-ref'] })),
    ],
  };
}

function modelComponent(inspection: Inspection, content: ContentDigest, ref: string): Record<string, unknown> {
  const { name, version, modelYaml, framework, format } = inspection;
  const properties = {
    'cdk-fledge:content-digest': content.digest,
    'cdk-fledge:framework': framework,
    'cdk-fledge:format': format,
    'cdk-fledge:image': inspection.needs.image,
    'cdk-fledge:runs-code': String(inspection.needs.runsCode),
    ...(inspection.parameters === undefined ? {} : { 'cdk-fledge:parameters': String(inspection.parameters) }),
  };
  return {
    type: 'machine-learning-model',
    'bom-ref': ref,
    name,
    ...(version === undefined ? {} : { version }),
    ...(modelYaml?.description === undefined ? {} : { description: modelYaml.description }),
    hashes: [{ alg: 'SHA-256', content: content.digest }],
    ...(modelYaml?.licence === undefined ? {} : { licenses: [licence(modelYaml.licence)] }),
    modelCard: modelCard(inspection),
    properties: Object.entries(properties).map(([key, value]) => ({ name: key, value })),
  };
}

function modelCard({ signature, facts, framework, modelYaml }: Inspection): Record<string, unknown> {
  const architecture = facts.find(({ name }) => name === 'architecture' || name === 'class')?.value;
  const metrics = Object.entries(modelYaml?.metrics ?? {}).filter(([, value]) => typeof value === 'number');
  const trainedOn = Object.entries(modelYaml?.trainingData ?? {});
  return {
    modelParameters: {
      architectureFamily: framework,
      ...(architecture === undefined ? {} : { modelArchitecture: architecture }),
      ...(signature === undefined ? {} : { inputs: signature.inputs.map(format), outputs: signature.outputs.map(format) }),
      ...(trainedOn.length === 0 ? {} : { datasets: [dataset(trainedOn)] }),
    },
    ...(metrics.length === 0
      ? {}
      : { quantitativeAnalysis: { performanceMetrics: metrics.map(([type, value]) => ({ type, value: String(value) })) } }),
  };
}

/** CycloneDX has one text for an input: its name, type and shape. */
function format({ name, type, shape }: TensorSpec): { format: string } {
  return { format: `${name}: ${type}${shape === undefined ? '' : `[${shape.map((size) => (size === -1 ? '?' : size)).join(', ')}]`}` };
}

function dataset(entries: readonly (readonly [string, string | number])[]): Record<string, unknown> {
  const source = entries.find(([key]) => key === 'source')?.[1];
  return {
    type: 'dataset',
    name: source === undefined ? 'training data' : String(source),
    contents: { properties: entries.map(([name, value]) => ({ name, value: String(value) })) },
  };
}

/** An SPDX identifier, an expression of several, or a name of its own. */
function licence(text: string): Record<string, unknown> {
  if (/\s(AND|OR|WITH)\s/.test(text)) return { expression: text };
  return { license: /^[A-Za-z0-9.+-]+$/.test(text) && /\d|^(MIT|ISC|Unlicense|Zlib)$/.test(text) ? { id: text } : { name: text } };
}

/** A UUID of version 8 made of the digest: the same model has the same serial number. */
function uuidOf(digest: string): string {
  const variant = ((Number.parseInt(digest[16]!, 16) & 3) | 8).toString(16);
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}
