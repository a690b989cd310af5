import { history } from './record';
import type { PromotionRequest } from './request';
import type { Store } from './store';

/** Where a promotion stands while the candidate answers nobody: one that ends there had no chance to go live. */
const BEFORE_REQUESTS = /^(wait|check|shadow .*|stage)$/;

/** How often a version was judged by requests that it answered, and did not go live; since it was live, if it ever was. */
export async function earlierTries(store: Store, { endpointName, modelPackageArn }: PromotionRequest): Promise<number> {
  const outcomes = (await history(store, endpointName)).filter((one) => one.modelPackageArn === modelPackageArn);
  const wentLive = outcomes.map(({ verdict }) => verdict).lastIndexOf('promoted');
  return outcomes.slice(wentLive + 1).filter(({ during }) => !BEFORE_REQUESTS.test(during)).length;
}

/**
 * The most that a bad version is shown to be not worse at one try: 1/2, 1/6, 1/12, 1/20 ... of the first try's, all of which together are 1. So however often it is
 * tried, the tries after the first let it go live for the first time no more often than the first does.
 */
export const betaOf = (beta: number, tries: number): number => (tries === 0 ? beta : beta / (tries * (tries + 1)));
