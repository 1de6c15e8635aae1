import { type DeviceAccess, type DeviceException, type DeviceRule, reduceDeviceRules } from "./device-rules.ts";
import { EbpfAssembler, type EbpfInstruction, EbpfLabel, encodeEbpf, type Register } from "./ebpf.ts";

/** struct bpf_cgroup_dev_ctx: three words, the first with the access in its upper and the type in its lower half. */
export const deviceContext = { accessAndType: 0, major: 4, minor: 8 } as const;
/** BPF_DEVCG_DEV_*. */
export const deviceTypes = { b: 1, c: 2 } as const;
/** BPF_DEVCG_ACC_*. */
export const deviceAccesses: Readonly<Record<string, number>> = { m: 1, r: 2, w: 4 };

const everyAccess = 7;
const context: Register = 1;
const type: Register = 2;
const access: Register = 3;
const major: Register = 4;
const minor: Register = 5;
const scratch: Register = 6;

/**
 * The BPF_PROG_TYPE_CGROUP_DEVICE program that does for cgroup v2 what v1's device files do: 1 lets an access pass, 0
 * makes it EPERM. Throws `invalid` as `reduceDeviceRules` does.
 */
export function deviceProgram(rules: readonly DeviceRule[]): Uint8Array {
  return encodeEbpf(deviceInstructions(reduceDeviceRules(rules)));
}

export function deviceInstructions({ allowByDefault, exceptions }: DeviceAccess): EbpfInstruction[] {
  const code = new EbpfAssembler();
  code.loadWord(access, context, deviceContext.accessAndType);
  code.copy(type, access);
  code.and(type, 0xffff);
  code.shiftRight(access, 16);
  code.loadWord(major, context, deviceContext.major);
  code.loadWord(minor, context, deviceContext.minor);
  for (const exception of exceptions) emitException(code, exception, allowByDefault);
  code.return(Number(allowByDefault));
  return code.assemble();
}

/**
 * An exception that allows must cover all that is asked for; one that denies strikes when it has any of it, as in v1
 * (security/device_cgroup.c: match_exception and match_exception_partial).
 */
function emitException(code: EbpfAssembler, exception: DeviceException, allowByDefault: boolean): void {
  const next = new EbpfLabel();
  code.jumpIfNotEqual(type, deviceTypes[exception.type], next);
  if (exception.major !== undefined) code.jumpIfNotEqual(major, exception.major, next);
  if (exception.minor !== undefined) code.jumpIfNotEqual(minor, exception.minor, next);
  const mask = [...exception.access].reduce((bits, letter) => bits | (deviceAccesses[letter] ?? 0), 0);
  if (mask !== everyAccess) {
    code.copy(scratch, access);
    code.and(scratch, mask);
    if (allowByDefault) code.jumpIfEqual(scratch, 0, next);
    else code.jumpIfDifferent(scratch, access, next);
  }
  code.return(Number(!allowByDefault));
  code.place(next);
}
