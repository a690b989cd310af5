import { CfnEndpoint } from 'aws-cdk-lib/aws-sagemaker';
import { Validations } from 'aws-cdk-lib/core';

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
    const reason = 'CloudFormation never updates it: its stage does, and retains what its variants have';
    Validations.of(this).acknowledge({ id: 'cdk-fledge::update-resets-scaling', reason });
  }

  protected override renderProperties(properties: Record<string, unknown>): Record<string, unknown> {
    const { EndpointName, EndpointConfigName, ...others } = super.renderProperties(properties);
    return { EndpointName, EndpointConfigName, ...(this.handedOver ? {} : others) };
  }
}
