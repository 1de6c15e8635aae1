/** What of a build context is not part of it. */
export { type Matched, PatternMatcher } from "./matcher.ts";
export { readIgnoreFile } from "./read.ts";
