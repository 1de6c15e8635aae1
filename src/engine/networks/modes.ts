import { sharedContainer } from "../container/modes.ts";

/** Modes and networks that are there of themselves: what dockerd does not call user-defined. */
const predefined: readonly string[] = ["", "default", "bridge", "host", "none"];

/** Whether a network mode or the name of a network means one that a user has made. */
export function isUserDefined(name: string): boolean {
  return !predefined.includes(name) && sharedContainer(name) === undefined;
}

/** Whether a container of this mode has a network namespace of its own. */
export function hasOwnNamespace(mode: string): boolean {
  return mode !== "host" && sharedContainer(mode) === undefined;
}
