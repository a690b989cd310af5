import { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';

/**
 * The endpoint in the template. Whatever CloudFormation updates of an endpoint, it names a configuration with it: so the entry of one that was handed over has its two
 * names and nothing else, whatever it is given before or after.
 *
 * @internal
 */
export class EndpointEntry extends CfnEndpoint {
  private handedOver = false;

  public handOver(): void {
    this.handedOver = true;
  }

  protected override renderProperties(properties: Record<string, unknown>): Record<string, unknown> {
    const { EndpointName, EndpointConfigName, ...others } = super.renderProperties(properties);
    return { EndpointName, EndpointConfigName, ...(this.handedOver ? {} : others) };
  }
}
