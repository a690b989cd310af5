import { type ApprovalEvent, requestedBy } from '../../lib/promotion';

const stage = {
  endpointName: 'flights',
  bucket: 'stage',
  group: 'flight-delay',
  plan: { steps: [{ kind: 'percent' as const, percent: 5 }], metrics: [] },
};
const approved: ApprovalEvent = {
  id: '844e2571-85d4-695f-b930-0153b71dcb42',
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
  test('that was approved starts a promotion named after its version, its time and itself', () => {
    expect(requestedBy(approved, stage)).toEqual({
      promotionId: 'v14-20261127T010203Z-844e2571',
      modelPackageArn: approved.detail.ModelPackageArn,
      endpointName: 'flights',
      bucket: 'stage',
      plan: stage.plan,
    });
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
