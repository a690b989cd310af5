/** What becomes of a version that another account's stage promoted. */
export enum OnArrival {
  /** It waits in the registry for somebody to approve it. */
  WAIT_FOR_APPROVAL = 'WAIT_FOR_APPROVAL',
  /** It is approved, and so starts on its way at once. */
  APPROVE = 'APPROVE',
}
