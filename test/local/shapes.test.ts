import { readShape, type ServiceModel, violationMessage, writeJson } from '../../lib/local/shapes';
import { wholePattern } from '../../lib/local/shapes/pattern';
import sagemaker from '../../lib/local/shapes/sagemaker.json';
import runtime from '../../lib/local/shapes/sagemaker-runtime.json';

const model = sagemaker as unknown as ServiceModel;

function violationsOf(shape: string, value: unknown): string {
  const { violations } = readShape(model, shape, value);
  return violations.length === 0 ? '' : violationMessage(violations);
}

it.each([sagemaker, runtime])('compiles every pattern of $source.service', (service) => {
  const patterns = Object.values((service as unknown as ServiceModel).shapes).flatMap(({ pattern }) => pattern ?? []);
  expect(patterns.length).toBeGreaterThan(5);
  for (const pattern of patterns) expect(() => wholePattern(pattern)).not.toThrow();
});

it('says what breaks a constraint as AWS does', () => {
  expect(violationsOf('DescribeEndpointInput', {})).toBe(
    "1 validation error detected: Value null at 'endpointName' failed to satisfy constraint: Member must not be null",
  );
  expect(violationsOf('DescribeEndpointInput', { EndpointName: 'a_b' })).toBe(
    "1 validation error detected: Value 'a_b' at 'endpointName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
  );
  expect(violationsOf('ListEndpointsInput', { MaxResults: 101 })).toContain("Value '101' at 'maxResults'");
});

it('names the place in lists, and every violation', () => {
  const message = violationsOf('CreateEndpointConfigInput', {
    EndpointConfigName: 'c',
    ProductionVariants: [{ VariantName: 'v', ModelName: 'm', InstanceType: 'ml.none', InitialVariantWeight: -1 }],
  });
  expect(message).toMatch(/^2 validation errors detected: /);
  expect(message).toContain(
    "Value 'ml.none' at 'productionVariants.1.member.instanceType' failed to satisfy constraint: Member must satisfy enum value set: [",
  );
  expect(message).toContain(
    "Value '-1' at 'productionVariants.1.member.initialVariantWeight' failed to satisfy constraint: Member must have value greater than or equal to 0",
  );
});

it('matches a pattern against the whole value', () => {
  expect(violationsOf('DescribeEndpointInput', { EndpointName: 'good-name' })).toBe('');
  expect(violationsOf('DescribeEndpointInput', { EndpointName: 'good-name!' })).not.toBe('');
});

it('reads time stamps as dates and drops members that the model does not know', () => {
  const { value } = readShape(model, 'ListEndpointsInput', { CreationTimeAfter: 1_700_000_000.5, Colour: 'blue' });
  expect(value).toEqual({ CreationTimeAfter: new Date(1_700_000_000_500) });
});

it('refuses a value of another type', () => {
  expect(() => readShape(model, 'DescribeEndpointInput', { EndpointName: 5 })).toThrow('endpointName must be a string, got 5');
  expect(() => readShape(model, 'ListEndpointsInput', { MaxResults: 1.5 })).toThrow('maxResults must be a whole number, got 1.5');
});

it('writes dates as seconds, bytes as base64, and leaves out what is undefined', () => {
  expect(writeJson({ Time: new Date(1500), Bytes: Buffer.from('hi'), Nothing: undefined, List: [new Date(0)] })).toBe(
    '{"Time":1.5,"Bytes":"aGk=","List":[0]}',
  );
  expect(writeJson(undefined)).toBe('{}');
});
