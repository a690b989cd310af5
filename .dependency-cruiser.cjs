/** The arrows between the rooms: which folder of lib/ may import which. */
const arrows = {
  judge: [],
  model: [],
  endpoint: ['model'],
  promotion: ['endpoint', 'judge', 'model'],
  serving: ['model'],
  local: ['model', 'serving'],
};

const rooms = Object.entries(arrows).map(([room, allowed]) => ({
  name: `${room}-arrows`,
  comment: `lib/${room} may import ${allowed.length === 0 ? 'no other room' : `only lib/${allowed.join(', lib/')}`}`,
  severity: 'error',
  from: { path: `^lib/${room}/` },
  to: { path: '^(lib|bin)/', pathNot: `^lib/(${[room, ...allowed].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...rooms,
    {
      name: 'judge-imports-nothing',
      comment: 'the judge is pure functions, to be read beside the papers and run anywhere',
      severity: 'error',
      from: { path: '^lib/judge/' },
      to: { pathNot: '^lib/judge/' },
    },
    {
      name: 'constructs-call-no-sdk',
      comment: 'a construct describes; it never talks to AWS',
      severity: 'error',
      from: { path: '^lib/(endpoint/|index\\.ts)' },
      to: { path: '@aws-sdk|@smithy' },
    },
    {
      name: 'run-time-without-cdk',
      comment: 'what runs in Lambda, in the container or in the command never loads aws-cdk-lib',
      severity: 'error',
      from: { path: '^lib/(model|judge|serving|local|cli)/' },
      to: { path: 'node_modules/(aws-cdk-lib|constructs)/' },
    },
    {
      name: 'workflow-without-cdk',
      comment: 'only the constructs of lib/promotion may load aws-cdk-lib',
      severity: 'error',
      from: { path: '^lib/promotion/', pathNot: '^lib/promotion/(canary-stage|rollout-judge|account-hand-over)' },
      to: { path: 'node_modules/(aws-cdk-lib|constructs)/|^lib/endpoint/' },
    },
    {
      name: 'promotion-constructs-call-no-sdk',
      comment: 'a construct describes; it never talks to AWS',
      severity: 'error',
      from: { path: '^lib/promotion/(canary-stage|rollout-judge|account-hand-over)' },
      to: { path: '@aws-sdk|@smithy' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^dist/' },
    tsPreCompilationDeps: true,
    parser: 'swc',
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
