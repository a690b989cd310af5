/** A name that SageMaker takes for the endpoint of a model of any name: what is no letter, digit or inner hyphen becomes one hyphen or goes. */
export function endpointNameOf(model: string): string {
  const taken = model
    .replace(/[^A-Za-z0-9-]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, 63)
    .replace(/-+$/, '');
  return taken === '' ? 'model' : taken;
}
