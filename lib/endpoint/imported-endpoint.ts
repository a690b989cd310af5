import type { Construct } from 'constructs';
import { ModelEndpointBase } from './model-endpoint-base';
import type { ModelEndpointAttributes } from './model-endpoint-props';
import { sageMakerArn } from './sagemaker-arn';

/**
 * An endpoint that another stack or somebody else made.
 *
 * @internal
 */
export class ImportedEndpoint extends ModelEndpointBase {
  public readonly endpointName: string;
  public readonly variantName: string;
  public readonly endpointArn: string;
  protected readonly _kind = undefined;

  constructor(scope: Construct, id: string, { endpointName, variantName }: ModelEndpointAttributes) {
    super(scope, id);
    this.endpointName = endpointName;
    this.variantName = variantName ?? 'live';
    this.endpointArn = sageMakerArn(this, 'endpoint', endpointName);
  }
}
