// The CDK's bundled template validator costs seconds a synth; one suite (test/endpoint/validation.test.ts) turns it on.
process.env.CDK_VALIDATION ??= 'false';
