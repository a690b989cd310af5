import type { IAlarm } from 'aws-cdk-lib/aws-cloudwatch';
import { Duration } from 'aws-cdk-lib/core';
import { requireWritten, writtenSeconds } from '../../endpoint/range';
import type { StagePlan } from '../request';

/** What becomes of a candidate that was shown neither worse nor not worse by the deadline. */
export enum OnDeadline {
  /** It goes back: no evidence, no promotion. */
  ROLL_BACK = 'rollBack',
  /** It goes back, and the record says held: a person looks. */
  HOLD = 'hold',
  /** It goes live, and the record says why. */
  PROMOTE = 'promote',
  /** A person is asked while it keeps its share. */
  ASK = 'ask',
}

/** Another candidate while one is under way. */
export enum WhenBusy {
  /** It waits its turn. */
  WAIT = 'wait',
  /** The one under way is aborted. */
  SUPERSEDE = 'supersede',
}

/** What `cdk deploy` waits for. */
export enum WaitFor {
  /** The deployment ends once the version is published: `fledge watch` or the pipeline waits. */
  NOTHING = 'nothing',
  /** The deployment ends when the version is live, and fails when it was rolled back or held. CloudFormation waits for an hour at most. */
  PROMOTED = 'promoted',
}

export interface ManualApprovalOptions {
  /**
   * How long a person is waited for; then the candidate is held.
   *
   * @default Duration.days(7)
   */
  readonly timeout?: Duration;
}

/** Whether a person must agree before a candidate goes live. */
export abstract class Approval {
  /** Evidence suffices. */
  public static none(): Approval {
    return new Agreement({ approval: 'none' });
  }

  /**
   * A person agrees once the evidence suffices, by `fledge approve` or by the command in the notice. The judge still rolls back meanwhile.
   *
   * @throws Error for a timeout below a minute
   */
  public static manual({ timeout }: ManualApprovalOptions = {}): Approval {
    const approvalSeconds = writtenSeconds('timeout of an approval', timeout ?? Duration.days(7));
    if (approvalSeconds < 60) throw new Error(`a person needs at least a minute to approve, got ${approvalSeconds} s`);
    return new Agreement({ approval: 'manual', approvalSeconds });
  }

  /** @internal */
  public abstract readonly _plan: Pick<StagePlan, 'approval' | 'approvalSeconds'>;
}

class Agreement extends Approval {
  /** @internal */
  public readonly _plan: Approval['_plan'];

  constructor(plan: Approval['_plan']) {
    super();
    this._plan = plan;
  }
}

export interface GoLiveOptions {
  /**
   * How long the new fleet is watched before the old one goes, 0 s to 1 h.
   *
   * @default Duration.minutes(5)
   */
  readonly bake?: Duration;

  /**
   * Alarms that roll the move back beside the stage's own, which watch errors and latency of the new fleet. At most 8.
   *
   * @default - none
   */
  readonly alarms?: IAlarm[];
}

export interface GoLiveCanaryOptions extends GoLiveOptions {
  /** The part of the fleet that takes traffic first, 1-50 percent, in whole instances. */
  readonly percent: number;
}

/** How the live variant moves to a version that was shown not worse: blue/green, under SageMaker's deployment guardrails. */
export abstract class GoLive {
  /** The whole new fleet at once; the old one stays for the bake.
   *
   * @throws Error for a time out of range or too many alarms
   */
  public static allAtOnce(options: GoLiveOptions = {}): GoLive {
    return new Move(options);
  }

  /** A part of the new fleet first.
   *
   * @throws Error for a size or time out of range or too many alarms
   */
  public static canary(options: GoLiveCanaryOptions): GoLive {
    requireWritten('percent of GoLive.canary', options.percent);
    if (!(options.percent >= 1 && options.percent <= 50)) {
      throw new Error(`the part of the fleet that moves first is 1 to 50 percent, got ${options.percent}`);
    }
    return new Move(options, options.percent);
  }

  /** @internal */
  public abstract readonly _guardrail: NonNullable<StagePlan['guardrail']>;
}

class Move extends GoLive {
  /** @internal */
  public readonly _guardrail: GoLive['_guardrail'];

  constructor({ bake, alarms = [] }: GoLiveOptions, canaryPercent?: number) {
    super();
    const waitSeconds = writtenSeconds('bake of going live', bake ?? Duration.minutes(5));
    if (waitSeconds > 3600) throw new Error(`SageMaker watches a new fleet for at most an hour, got a bake of ${waitSeconds} s`);
    if (alarms.length > 8)
      throw new Error(`SageMaker takes at most 10 alarms, 2 of them the stage's own: give at most 8, got ${alarms.length}`);
    this._guardrail = { canaryPercent, waitSeconds, alarms: alarms.map(({ alarmName }) => alarmName) };
  }
}
