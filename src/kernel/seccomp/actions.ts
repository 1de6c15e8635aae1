import { SampanError } from "../../errors/index.ts";
import { errnoNumber } from "../errno.ts";

/** Numbers of seccomp(2): include/uapi/linux/seccomp.h. */
export const SECCOMP_SET_MODE_FILTER = 1;
export const SECCOMP_GET_ACTION_AVAIL = 2;
export const SECCOMP_FILTER_FLAG_TSYNC = 1;
export const SECCOMP_FILTER_FLAG_LOG = 2;
/** Leaves the process without the speculative store bypass mitigation, which slows everything down; since 4.17. */
export const SECCOMP_FILTER_FLAG_SPEC_ALLOW = 4;

/** The kernel answers with a descriptor through which somebody is asked; since 5.0. */
export const SECCOMP_FILTER_FLAG_NEW_LISTENER = 8;
/** Who waits for an answer that somebody has begun to make is only killed, not interrupted; since 5.19. */
export const SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV = 32;

const returnData = 0xffff;
const maxErrno = 4095;

/** The return values of a filter without their data, by the profile's names. */
export const actionCodes = {
  SCMP_ACT_KILL: 0x00000000,
  SCMP_ACT_KILL_THREAD: 0x00000000,
  SCMP_ACT_KILL_PROCESS: 0x80000000,
  SCMP_ACT_TRAP: 0x00030000,
  SCMP_ACT_ERRNO: 0x00050000,
  SCMP_ACT_NOTIFY: 0x7fc00000,
  SCMP_ACT_TRACE: 0x7ff00000,
  SCMP_ACT_LOG: 0x7ffc0000,
  SCMP_ACT_ALLOW: 0x7fff0000,
} as const;

export type ActionName = keyof typeof actionCodes;

/** In a profile of an OCI bundle, which may name a listener. */
export const actionNames = Object.keys(actionCodes) as [ActionName, ...ActionName[]];

/**
 * The value a filter returns for an action. Errno and trace carry a number, EPERM unless given, as in runc; for the
 * other actions it means nothing. Throws `invalid` for an errno the kernel would cut (above 4095).
 */
export function actionValue(name: ActionName, errno: number = errnoNumber("EPERM")): number {
  if (name !== "SCMP_ACT_ERRNO" && name !== "SCMP_ACT_TRACE") return actionCodes[name];
  const most = name === "SCMP_ACT_ERRNO" ? maxErrno : returnData;
  if (errno > most)
    throw new SampanError("invalid", `Cannot use errno ${errno} in the seccomp profile: the largest is ${most}`);
  return (actionCodes[name] | errno) >>> 0;
}

/** A filter's return value in words, for people: "errno 38 (ENOSYS)"-style text is the caller's. */
export function actionOf(value: number): { name: ActionName; data: number } {
  const code = (value & ~returnData) >>> 0;
  const name = actionNames.find((candidate) => actionCodes[candidate] === code) ?? "SCMP_ACT_KILL";
  return { name, data: value & returnData };
}
