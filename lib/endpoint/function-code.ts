import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Code, Runtime } from 'aws-cdk-lib/aws-lambda';
import { packageRoot } from '../model/entry-point';

/**
 * What the functions of this package run on: the newest that aws-cdk-lib knows, which cdk-nag asks for, and one of the two that AWS runs durable functions on.
 *
 * @internal
 */
export const FUNCTION_RUNTIME = Runtime.NODEJS_24_X;

/**
 * The code of a Lambda function, bundled when this package was built: a user's synth needs no bundler.
 *
 * @param name its folder in dist/lambda
 * @throws Error where the package is not built
 * @internal
 */
export function bundledFunction(name: string): Code {
  const folder = join(packageRoot(__dirname), 'dist', 'lambda', name);
  if (!existsSync(folder)) throw new Error(`there is no function code at ${folder}: build the package (npm run build)`);
  return Code.fromAsset(folder);
}
