import type { PromotionRequest } from './request';

/** EventBridge's `SageMaker Model Package State Change`, as far as a stage reads it. */
export interface ApprovalEvent {
  /** The same when the event is delivered twice. */
  readonly id: string;
  /** ISO 8601. */
  readonly time: string;
  readonly detail: {
    readonly ModelPackageArn?: string;
    readonly ModelPackageGroupName?: string;
    readonly ModelPackageVersion?: number;
    readonly ModelApprovalStatus?: string;
    /** What an update changed; missing where the package was created. */
    readonly UpdatedModelPackageFields?: readonly string[];
  };
}

/** What a stage adds to the event. */
export interface StageSetup extends Pick<PromotionRequest, 'endpointName' | 'bucket' | 'plan'> {
  /** Name of the model package group. */
  readonly group: string;
}

/**
 * The promotion that an approval starts: the same one when the event comes twice.
 *
 * @returns undefined where nothing was approved, e.g. when the metadata of an approved package changed, or where the package is of another group
 */
export function requestedBy(event: ApprovalEvent, { group, ...stage }: StageSetup): PromotionRequest | undefined {
  const { detail, id, time } = event;
  const changed = detail.UpdatedModelPackageFields ?? [];
  const isApproval = detail.ModelApprovalStatus === 'Approved' && (changed.length === 0 || changed.includes('ModelApprovalStatus'));
  if (!isApproval || detail.ModelPackageGroupName !== group || detail.ModelPackageArn === undefined) return undefined;
  const at = new Date(time).toISOString().replace(/[-:]|\.\d+/g, '');
  return {
    promotionId: `v${detail.ModelPackageVersion}-${at}-${id.replace(/[^A-Za-z0-9]/g, '').slice(0, 8)}`,
    modelPackageArn: detail.ModelPackageArn,
    ...stage,
  };
}
