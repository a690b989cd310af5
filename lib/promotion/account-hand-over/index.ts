/** The way from one account's stage to the next: what was promoted here is offered there, with its record. */

export type { OfferedStage } from './offered-stage';
export { OnArrival } from './on-arrival';
export { VersionOffer, type VersionOfferProps } from './version-offer';
export { VersionReceiver, type VersionReceiverProps } from './version-receiver';
