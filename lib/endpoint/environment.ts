/** Limits of CreateModel: entries, characters of a value, and bytes of all together. */
const MAX_ENTRIES = 100;
const MAX_VALUE = 1024;
const MAX_BYTES = 32 * 1024;

/**
 * A container's environment is readable by whoever may describe the model: it holds settings, not secrets.
 *
 * @param environment resolved, so that a secret behind a token is seen
 * @throws Error that names the entry
 * @internal
 */
export function requireEnvironment(environment: Record<string, unknown>): void {
  const entries = Object.entries(environment);
  if (entries.length > MAX_ENTRIES) throw new Error(`a model takes at most ${MAX_ENTRIES} environment entries, got ${entries.length}`);
  let bytes = 0;
  for (const [key, value] of entries) {
    const literal = typeof value === 'string' ? value : '';
    if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(key))
      throw new Error(`an environment name has letters, digits and _ and starts with no digit, got '${key}'`);
    if (literal.length > MAX_VALUE)
      throw new Error(`environment ${key} has ${literal.length} characters, at most ${MAX_VALUE} are allowed`);
    if (looksSecret(key, typeof value === 'string' ? value : JSON.stringify(value))) {
      throw new Error(
        `environment ${key} looks like a secret, which whoever may describe the model would read: let the container fetch it with the endpoint's role`,
      );
    }
    bytes += Buffer.byteLength(key) + Buffer.byteLength(literal);
  }
  if (bytes > MAX_BYTES) throw new Error(`the environment of a model is at most 32 KB, got ${bytes} bytes`);
}

function looksSecret(key: string, value: string): boolean {
  if (/\{\{resolve:(secretsmanager|ssm-secure):/.test(value) || /\b(AKIA|ASIA)[A-Z0-9]{16}\b/.test(value)) return true;
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(value) || /^AWS_(SECRET_ACCESS_KEY|SESSION_TOKEN)$/.test(key);
}
