import { type ApprovalEvent, requestedBy } from '../../lib/promotion';

const stage = {
  endpointName: 'flights',
  bucket: 'stage',
  group: 'flight-delay',
  plan: { steps: [{ kind: 'percent' as const, percent: 5 }], metrics: [] },
};
const approved: ApprovalEvent = {
  time: '2026-11-27T01:02:03Z',
  detail: {
    ModelPackageArn: 'arn:aws:sagemaker:us-east-1:000000000000:model-package/flight-delay/14',
    ModelPackageGroupName: 'flight-delay',
    ModelPackageVersion: 14,
    ModelApprovalStatus: 'Approved',
    UpdatedModelPackageFields: ['ModelApprovalStatus', 'ApprovalDescription'],
  },
};
const but = (detail: Partial<ApprovalEvent['detail']>): ApprovalEvent => ({ ...approved, detail: { ...approved.detail, ...detail } });

describe('the event of a model package', () => {
  test('that was approved starts a promotion named after its version and its time', () => {
    expect(requestedBy(approved, stage)).toEqual({
      promotionId: 'v14-20261127T010203Z',
      modelPackageArn: approved.detail.ModelPackageArn,
      endpointName: 'flights',
      bucket: 'stage',
      plan: stage.plan,
    });
  });
  test('that comes twice, seconds apart, starts one', () => {
    const changed = but({ LastModifiedTime: '2026-11-27T01:02:01.500Z' });
    expect(requestedBy({ ...changed, time: '2026-11-27T01:02:09Z' }, stage)?.promotionId).toBe(requestedBy(changed, stage)?.promotionId);
  });
  test('that was registered as approved starts one too', () => {
    expect(requestedBy(but({ UpdatedModelPackageFields: undefined }), stage)?.promotionId).toMatch(/^v14-/);
  });
  test.each([
    ['whose metadata alone changed', but({ UpdatedModelPackageFields: ['CustomerMetadataProperties'] })],
    ['that awaits approval', but({ ModelApprovalStatus: 'PendingManualApproval' })],
    ['of another group', but({ ModelPackageGroupName: 'arrivals' })],
  ])('%s starts none', (_, event) => {
    expect(requestedBy(event, stage)).toBeUndefined();
  });
});
