import type { CfnEndpointConfig } from 'aws-cdk-lib/aws-sagemaker';
import { Duration } from 'aws-cdk-lib/core';
import { requireRange } from './range';

export interface DataCaptureOptions {
  /**
   * How many of a hundred requests are written down, 0-100.
   *
   * @default 10
   */
  readonly percent?: number;

  /**
   * Whether the requests are.
   *
   * @default true
   */
  readonly requests?: boolean;

  /**
   * Whether the answers are.
   *
   * @default true
   */
  readonly answers?: boolean;

  /**
   * How long they are kept.
   *
   * @default Duration.days(30)
   */
  readonly retention?: Duration;
}

/** Requests and answers written to S3, encrypted with the endpoint's key, below `capture/` of its records bucket. Not for serverless. */
export class DataCapture {
  /**
   * A sample of the traffic.
   *
   * @throws Error for a percentage out of range, or when neither requests nor answers are to be captured
   */
  public static sampled(options: DataCaptureOptions = {}): DataCapture {
    return new DataCapture(options);
  }

  private constructor(private readonly options: DataCaptureOptions) {
    requireRange('percent of captured requests', options.percent, 0, 100);
    if (options.requests === false && options.answers === false) {
      throw new Error('data capture needs requests, answers or both: leave dataCapture out to capture nothing');
    }
  }

  /** @internal */
  public get _retention(): Duration {
    return this.options.retention ?? Duration.days(30);
  }

  /** @internal */
  public _bind(destinationS3Uri: string, kmsKeyId: string): CfnEndpointConfig.DataCaptureConfigProperty {
    const modes = [this.options.requests === false ? [] : ['Input'], this.options.answers === false ? [] : ['Output']].flat();
    return {
      enableCapture: true,
      initialSamplingPercentage: this.options.percent ?? 10,
      destinationS3Uri,
      kmsKeyId,
      captureOptions: modes.map((captureMode) => ({ captureMode })),
      // Other types are written in base64.
      captureContentTypeHeader: { csvContentTypes: ['text/csv'], jsonContentTypes: ['application/json'] },
    };
  }
}
