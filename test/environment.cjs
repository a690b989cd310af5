const { TestEnvironment } = require('jest-environment-node');

// A test's process.env is a copy, which native addons do not see.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

/** Node's environment with the typed arrays of the process: native addons (onnxruntime-node) make theirs with those, and compare by identity. */
module.exports = class extends TestEnvironment {
  async setup() {
    await super.setup();
    for (const name of Object.getOwnPropertyNames(globalThis)) {
      if (/^(Big)?(Ui|I)nt\d+(Clamped)?Array$|^Float\d+Array$|^ArrayBuffer$/.test(name)) this.global[name] = globalThis[name];
    }
  }
};
