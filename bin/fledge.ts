#!/usr/bin/env node
// The SDK would warn of its Node 22 floor to come at every start; the package's engines say what it runs on today.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

// Whoever reads no further, as head does, wants no more.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});

import('../lib/cli/program.js').then(async ({ main }) => {
  process.exitCode = await main(process.argv.slice(2));
});
