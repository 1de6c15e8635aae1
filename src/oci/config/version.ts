/** The newest version of the OCI runtime specification whose config.json this runtime reads. */
export const specVersion = "1.3.0";
/** The oldest. */
export const oldestSpecVersion = "1.0.0";
