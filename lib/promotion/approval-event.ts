import type { PromotionRequest } from './request';

/** EventBridge's `SageMaker Model Package State Change`, as far as a stage reads it. */
export interface ApprovalEvent {
  /** ISO 8601. */
  readonly time: string;
  readonly detail: {
    readonly ModelPackageArn?: string;
    readonly ModelPackageGroupName?: string;
    readonly ModelPackageVersion?: number;
    readonly ModelApprovalStatus?: string;
    /** ISO 8601, or milliseconds since 1970. */
    readonly LastModifiedTime?: string | number;
    /** What an update changed; missing where the package was created. */
    readonly UpdatedModelPackageFields?: readonly string[];
  };
}

/** What a stage adds to the event. */
export interface StageSetup extends Pick<PromotionRequest, 'endpointName' | 'bucket' | 'plan' | 'topicArn'> {
  /** Name of the model package group. */
  readonly group: string;
}

/**
 * The promotion that an approval starts. EventBridge may deliver an event twice, and SageMaker may send several of one change: its id is the version and the second of
 * the package's last change, so that all of them are one promotion, and a later approval is another.
 *
 * @returns undefined where nothing was approved, e.g. when the metadata of an approved package changed, or where the package is of another group
 */
export function requestedBy(event: ApprovalEvent, { group, ...stage }: StageSetup): PromotionRequest | undefined {
  const { detail, time } = event;
  const changed = detail.UpdatedModelPackageFields ?? [];
  const isApproval = detail.ModelApprovalStatus === 'Approved' && (changed.length === 0 || changed.includes('ModelApprovalStatus'));
  if (!isApproval || detail.ModelPackageGroupName !== group || detail.ModelPackageArn === undefined) return undefined;
  const at = new Date(detail.LastModifiedTime ?? time).toISOString().replace(/[-:]|\.\d+/g, '');
  return {
    promotionId: `v${detail.ModelPackageVersion}-${at}`,
    modelPackageArn: detail.ModelPackageArn,
    ...stage,
  };
}
