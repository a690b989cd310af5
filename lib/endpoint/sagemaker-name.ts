/**
 * Whether SageMaker takes a name for an endpoint, a variant or a model package group.
 *
 * @internal
 */
export function isSageMakerName(name: string): boolean {
  return name.length <= 63 && /^[a-zA-Z0-9](-*[a-zA-Z0-9])*$/.test(name);
}

/**
 * @param whose as in `an endpoint's`
 * @throws Error for a name that SageMaker refuses
 * @internal
 */
export function requireSageMakerName(whose: string, name: string): string {
  if (isSageMakerName(name)) return name;
  throw new Error(`${whose} name has 1 to 63 letters, digits and inner hyphens, got '${name}', which has ${name.length} characters`);
}
