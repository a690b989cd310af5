import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { LocalSageMaker } from '../../../lib/local';
import type { MiniStack } from '../harness/ministack';

type LocalEvent = Parameters<Parameters<LocalSageMaker['onEvent']>[0]>[0];

interface Rule {
  readonly Name: string;
  readonly EventPattern?: string;
}

/** An event and a function that a rule names for it. */
interface Match {
  readonly event: LocalEvent;
  readonly target: string;
}

/** A durable execution that an event started. */
export interface Started {
  readonly event: LocalEvent;
  readonly execution: string;
}

/**
 * Carries the local SageMaker's events to the functions of MiniStack's rules. EventBridge takes no `aws.*` event from outside, as on AWS, and a durable function that
 * MiniStack starts by an event does not wake up again from its first wait. So MiniStack's EventBridge says which rules match, and their functions are invoked and answer.
 */
export class Relay {
  private readonly lambda: LambdaClient;
  private readonly matches: Promise<Match[]>[] = [];
  private readonly end: () => void;

  constructor(
    local: LocalSageMaker,
    private readonly ministack: MiniStack,
  ) {
    this.lambda = new LambdaClient(ministack.client);
    this.end = local.onEvent((event) => {
      this.matches.push(this.match(event));
    });
  }

  /** Starts what the events since the last time call for, by the rules that there were when they came. */
  async deliver(): Promise<Started[]> {
    const started: Started[] = [];
    for (const { event, target } of (await Promise.all(this.matches.splice(0))).flat()) {
      const [name, qualifier] = target.split(':').slice(6);
      const Payload = Buffer.from(JSON.stringify(event));
      const answer = await this.lambda.send(new InvokeCommand({ FunctionName: name, Qualifier: qualifier, Payload }));
      if (answer.FunctionError) throw new Error(`${name} failed: ${Buffer.from(answer.Payload!).toString()}`);
      started.push({ event, execution: answer.DurableExecutionArn! });
    }
    return started;
  }

  close(): void {
    this.end();
    this.lambda.destroy();
  }

  private async match(event: LocalEvent): Promise<Match[]> {
    const matches: Match[] = [];
    const { Rules } = await this.ask<{ Rules: Rule[] }>('ListRules', {});
    for (const { Name, EventPattern } of Rules) {
      const { Result } = await this.ask<{ Result: boolean }>('TestEventPattern', { EventPattern, Event: JSON.stringify(event) });
      if (!Result) continue;
      const { Targets } = await this.ask<{ Targets: { Arn: string }[] }>('ListTargetsByRule', { Rule: Name });
      matches.push(...Targets.map(({ Arn }) => ({ event, target: Arn })));
    }
    return matches;
  }

  private async ask<T>(operation: string, input: object): Promise<T> {
    const answer = await fetch(this.ministack.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `AWSEvents.${operation}` },
      body: JSON.stringify(input),
    });
    if (!answer.ok) throw new Error(`${operation}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }
}
