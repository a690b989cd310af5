import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Duration } from 'aws-cdk-lib/core';
import type { ModelEndpoint, ModelStore } from '../../endpoint';
import type { CanaryJudge } from './judge';
import type { Approval, GoLive, OnDeadline, WaitFor, WhenBusy } from './policy';
import type { CanaryStep } from './step';

export interface CanaryStageProps {
  /** Real-time, of one variant, with a `modelStore`: from now on the stage owns what it serves. */
  readonly endpoint: ModelEndpoint;

  /**
   * In the order in which they are taken: shadows first, shares rising, at least one routed share.
   *
   * @default - a shadow, then 5, 25 and 50 percent
   */
  readonly steps?: CanaryStep[];

  /**
   * What decides.
   *
   * @default CanaryJudge.standard()
   */
  readonly judge?: CanaryJudge;

  /**
   * Whether a person must agree.
   *
   * @default Approval.none()
   */
  readonly approval?: Approval;

  /**
   * From the first routed request to the decision.
   *
   * @default Duration.hours(24)
   */
  readonly deadline?: Duration;

  /**
   * What becomes of a candidate without enough evidence by then.
   *
   * @default OnDeadline.ROLL_BACK
   */
  readonly onDeadline?: OnDeadline;

  /**
   * What becomes of a version that is approved while another is under way.
   *
   * @default WhenBusy.WAIT
   */
  readonly whenBusy?: WhenBusy;

  /**
   * How the live variant moves to a version that was shown not worse.
   *
   * @default GoLive.allAtOnce()
   */
  readonly goLive?: GoLive;

  /**
   * Instances of the candidate variant, 1 or more.
   *
   * @default - as many as its largest share of the live fleet needs
   */
  readonly candidateInstances?: number;

  /**
   * How long one update of the endpoint may take before the candidate is given up: 10 minutes to 8 hours.
   *
   * @default Duration.hours(1)
   */
  readonly updateTimeout?: Duration;

  /**
   * Asymmetric keys of which one must have signed an artifact's digest (`fledge sign`). Whatever they say, every artifact's content is checked against the approved
   * digest and scanned before anything of the endpoint changes.
   *
   * @default - no signature is asked for
   */
  readonly signingKeys?: IKey[];

  /**
   * Whether classes that no allow list knows are refused, rather than told of.
   *
   * @default false; the policy in an artifact's own model.yaml counts
   */
  readonly refuseUnknownClasses?: boolean;

  /**
   * Whether the version that this template deploys is approved, and so starts on its way at once. Otherwise it waits in the registry for somebody to approve it.
   *
   * @default true
   */
  readonly approveOnDeploy?: boolean;

  /**
   * What `cdk deploy` waits for.
   *
   * @default WaitFor.NOTHING
   */
  readonly waitFor?: WaitFor;

  /**
   * Name of the model package group, to be made.
   *
   * @default - the endpoint's name; for an endpoint whose artifact is a model package, that package's group, which must exist
   */
  readonly modelPackageGroupName?: string;

  /**
   * Where published versions lie: the endpoint's role may read all of them, since any may become live. Where the endpoint's artifact lies elsewhere, role and workflow
   * may read what lies beside it too, below its own prefix.
   *
   * @default - the endpoint's modelStore
   */
  readonly modelStore?: ModelStore;

  /**
   * The customer key of record, queue, logs and notices.
   *
   * @default - the endpoint's
   */
  readonly encryptionKey?: IKey;

  /**
   * Who is told that a promotion started, was promoted, rolled back or held, or wants approval.
   *
   * @default - a new topic, encrypted with the key
   */
  readonly topic?: ITopic;
}
