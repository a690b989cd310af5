/** Why a deployment does not go on: the text of FailureReason. */
export class DeploymentFailure extends Error {}
