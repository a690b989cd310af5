// The CDK's bundled template validator costs seconds a synth; one suite (test/endpoint/validation.test.ts) turns it on.
process.env.CDK_VALIDATION ??= 'false';
// Said by every test file otherwise.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';
