#!/usr/bin/env node
// The SDK would warn of its Node 22 floor to come at every start; the package's engines say what it runs on today.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

import('../lib/cli/program.js').then(async ({ main, LostOutput }) => {
  process.exitCode = await main(process.argv.slice(2), new LostOutput(process.stdout, process.stderr));
});
