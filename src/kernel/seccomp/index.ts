export { defaultSeccompProfile } from "./default-profile.ts";
export { kernelVersionOf, type SeccompFilter, seccompFilter } from "./filter.ts";
export { limitedSeccompProfile } from "./limited-profile.ts";
export { parseSeccompProfile } from "./parse.ts";
export type { KernelVersion, SeccompProfile } from "./profile.ts";
export type { SeccompContext } from "./resolve.ts";
