/** What a receiving function is told, as JSON in this environment variable. */
export const HAND_OVER_VARIABLE = 'FLEDGE_HAND_OVER';
