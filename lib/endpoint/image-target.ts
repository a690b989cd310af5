import type { ImageTarget } from './bindings';

/**
 * The processor that an instance type's name says: `ml.c7g.large` is Graviton, `ml.g5.xlarge` has GPUs, `ml.g5g.xlarge` both,
 * `ml.inf2.xlarge` is Neuron, everything else x86-64. None given: serverless, x86-64.
 *
 * @internal
 */
export function imageTarget(instanceType?: string): ImageTarget {
  if (instanceType === undefined) return { processor: 'cpu' };
  const [, letters, attributes] = /^ml\.([a-z]+)\d+([a-z]*)/.exec(instanceType) ?? ['', '', ''];
  const graviton = attributes.startsWith('g');
  if (letters === 'inf' || letters === 'trn') return { instanceType, processor: 'neuron' };
  if (letters === 'g' || letters === 'p') return { instanceType, processor: graviton ? 'arm-gpu' : 'gpu' };
  return { instanceType, processor: graviton ? 'arm' : 'cpu' };
}
