import type { RehearsalResult, Rehearsed } from './rehearsal';

/** The document of `fledge rehearse --json`. */
export function describeResult(result: RehearsalResult) {
  const { version, figures, model } = result.live;
  return {
    endpoint: result.endpointName,
    live: { directory: version.directory, version: version.inspection.version ?? null, digest: version.digest, ...figures, model },
    promotions: result.promotions.map(describePromotion),
  };
}

function describePromotion({ version, outcome, seconds, verdict, story }: Rehearsed) {
  return {
    candidate: version.inspection.version ?? version.directory,
    directory: version.directory,
    digest: version.digest,
    modelPackageArn: version.modelPackageArn,
    verdict: outcome.verdict,
    reason: outcome.reason,
    during: outcome.during,
    seconds: Number(seconds.toFixed(1)),
    badRequests: badRequests({ verdict }),
    evidence:
      verdict?.metrics.map((metric) => ({
        metric: metric.name,
        worse: {
          evidence: Math.exp(metric.logWorse),
          suffices: metric.logWorseThreshold === null ? null : Math.exp(metric.logWorseThreshold),
        },
        notWorse: { evidence: Math.exp(metric.logNotWorse), suffices: Math.exp(metric.logNotWorseThreshold) },
        series: metric.series.map(({ label, totals, relativeRisk }) => ({ label, ...totals, relativeRisk })),
      })) ?? [],
    counts: verdict?.input ?? null,
    story: story.map(({ at, what, sentence }) => ({ at: new Date(at).toISOString(), what, sentence })),
  };
}

/** Bad requests that the candidate served, of the fact that decided; of its server errors where none did. */
export function badRequests({ verdict }: Pick<Rehearsed, 'verdict'>): number {
  if (verdict === null) return 0;
  if (verdict.crossing) return verdict.crossing.totals.candidateBad;
  return verdict.metrics.find((metric) => metric.kind === 'serverErrors')?.series[0]?.totals.candidateBad ?? 0;
}
