#!/usr/bin/env node
import { App } from 'aws-cdk-lib/core';
import { FlightDelayStack } from './flight-delay-stack';

const app = new App();
new FlightDelayStack(app, 'FlightDelay', {
  version: `${app.node.tryGetContext('version') ?? 2}`,
  rollout: app.node.tryGetContext('rollout') ?? 'guardrails',
  env: { account: process.env.CDK_DEFAULT_ACCOUNT, region: process.env.CDK_DEFAULT_REGION },
});
