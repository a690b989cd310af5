import type { Command } from 'commander';
import { startLocal } from '../../local';
import { awsPorts } from '../../promotion';
import { LocalStage } from '../local-stage';
import { ended, endpointName, wholeBetween } from '../options';
import type { Session } from '../session';
import { Terminal } from '../terminal';
import { addInvoke } from './invoke';
import { addLocal } from './local';

/** `fledge serve`, `fledge local` and `fledge invoke`: a SageMaker on this machine, with a model or without one, and requests to it. */
export function addServingCommands(root: Command, session: Session): void {
  root
    .command('serve')
    .description('serve a model directory on 127.0.0.1 behind the SageMaker runtime API, until Ctrl-C')
    .argument('<directory>', 'a model directory')
    .option('--endpoint <name>', 'name of the endpoint', endpointName, 'model')
    .option('--port <port>', '0 takes a free one', wholeBetween(0, 65_535), 8080)
    .option('--allow-code', "let the model's own Python code run")
    .option(
      '--command <command>',
      'a command of your shell that serves the model: /ping and /invocations at the port in SAGEMAKER_BIND_TO_PORT',
    )
    .action(async (directory: string, { port, ...options }: ServeOptions) => {
      const terminal = new Terminal(false);
      const command = options.command === undefined ? undefined : ['sh', '-c', options.command];
      const warn = (message: string) => terminal.warn(`warning: ${message}`);
      const local = await startLocal({
        port,
        engines: { allowCode: options.allowCode ?? false, command },
        timings: { start: 0 },
        warn,
      });
      try {
        Object.assign(process.env, local.environment());
        const stage = await LocalStage.open(awsPorts(), options.endpoint, warn);
        const version = await stage.publish(directory);
        await stage.deploy(options.endpoint, version);
        terminal.say(
          `${version.inspection.name} ${version.inspection.version ?? ''} answers at ${local.url}/endpoints/${options.endpoint}/invocations`,
        );
        terminal.say(`fledge invoke ${options.endpoint} --url ${local.url} --body '...'        from another shell`);
        terminal.say(`export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=${local.url}        for any AWS SDK or CLI`);
        await ended(session.signal);
      } finally {
        await local.close();
      }
    });

  addLocal(root, session);
  addInvoke(root, session);
}

interface ServeOptions {
  readonly endpoint: string;
  readonly port: number;
  readonly allowCode?: boolean;
  readonly command?: string;
}
