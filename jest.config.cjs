module.exports = {
  testEnvironment: '<rootDir>/test/environment.cjs',
  roots: ['<rootDir>/test'],
  // A busy machine fails no test.
  testTimeout: 180_000,
  testPathIgnorePatterns: process.env.END_TO_END ? ['/node_modules/'] : ['/node_modules/', '<rootDir>/test/end-to-end/'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript', decorators: true }, target: 'es2022' }, module: { type: 'commonjs' } },
    ],
  },
  // Examples import the package as a user does.
  moduleNameMapper: { '^cdk-fledge$': '<rootDir>/lib/index.ts' },
  setupFiles: ['<rootDir>/test/setup.ts'],
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/cdk.out/'],
  reporters: ['default', '<rootDir>/test/closing-line.cjs'],
};
