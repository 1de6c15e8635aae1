import { SampanError } from "../../errors/index.ts";

/** Whether devices of a type and number may be read, written and made (mknod): a device rule of the OCI runtime spec. */
export interface DeviceRule {
  readonly allow: boolean;
  /** "a" is both; with it, major, minor and access do not count: the rule starts over. */
  readonly type: "a" | "b" | "c";
  /** Absent: every one. */
  readonly major?: number;
  readonly minor?: number;
  /** Any of "r", "w" and "m". */
  readonly access: string;
}

/** What a rule list comes to: a default, and the devices for which the opposite holds. */
export interface DeviceAccess {
  readonly allowByDefault: boolean;
  readonly exceptions: readonly DeviceException[];
}

export interface DeviceException {
  readonly type: "b" | "c";
  readonly major: number | undefined;
  readonly minor: number | undefined;
  /** In the order r, w, m; never empty. */
  readonly access: string;
}

/**
 * Reduces a rule list to what cgroup v1's device controller makes of it, so that v1's files and v2's program do the same
 * (and the same as runc): nothing is allowed to begin with; a rule against the default is an exception, one for it
 * takes an exception back. Throws `invalid` for a rule that would cut a hole into an exception with wildcards: v1 would
 * ignore it without a word.
 */
export function reduceDeviceRules(rules: readonly DeviceRule[]): DeviceAccess {
  let allowByDefault = false;
  const exceptions = new Map<string, DeviceException>();
  for (const rule of rules) {
    if (rule.type === "a") {
      allowByDefault = rule.allow;
      exceptions.clear();
    } else {
      const exception = exceptionOf(rule, rule.type);
      if (rule.allow === allowByDefault) takeBack(exceptions, exception);
      else join(exceptions, exception);
    }
  }
  return { allowByDefault, exceptions: [...exceptions.values()] };
}

/** A device in the words of v1's files: "c 1:3 rwm". */
export function deviceText({ type, major, minor, access }: DeviceException): string {
  return `${type} ${major ?? "*"}:${minor ?? "*"} ${access}`;
}

function exceptionOf(rule: DeviceRule, type: "b" | "c"): DeviceException {
  const access = ordered(rule.access);
  if (access === "" || /[^rwm]/.test(rule.access)) {
    throw new SampanError("invalid", `Cannot use device access "${rule.access}": it must be of the letters r, w and m`);
  }
  for (const number of [rule.major, rule.minor]) {
    if (number !== undefined && !(Number.isInteger(number) && number >= 0 && number <= 0xffffffff)) {
      throw new SampanError("invalid", `Cannot use device number ${number}: it must be between 0 and 4294967295`);
    }
  }
  return { type, major: rule.major, minor: rule.minor, access };
}

function join(exceptions: Map<string, DeviceException>, added: DeviceException): void {
  const key = keyOf(added);
  const access = ordered((exceptions.get(key)?.access ?? "") + added.access);
  exceptions.set(key, { ...added, access });
}

function takeBack(exceptions: Map<string, DeviceException>, taken: DeviceException): void {
  for (const wider of exceptions.values()) {
    if (keyOf(wider) === keyOf(taken) || !covers(wider, taken) || !overlaps(wider.access, taken.access)) continue;
    const hole = `it would cut a hole into "${deviceText(wider)}", which the devices controller cannot express`;
    throw new SampanError("invalid", `Cannot use device rule "${deviceText(taken)}": ${hole}`);
  }
  const key = keyOf(taken);
  const left = [...(exceptions.get(key)?.access ?? "")].filter((letter) => !taken.access.includes(letter)).join("");
  if (left === "") exceptions.delete(key);
  else exceptions.set(key, { ...taken, access: left });
}

function keyOf({ type, major, minor }: DeviceException): string {
  return `${type} ${major ?? "*"}:${minor ?? "*"}`;
}

function covers(wider: DeviceException, narrower: DeviceException): boolean {
  const within = (a: number | undefined, b: number | undefined) => a === undefined || a === b;
  return wider.type === narrower.type && within(wider.major, narrower.major) && within(wider.minor, narrower.minor);
}

function overlaps(a: string, b: string): boolean {
  return [...a].some((letter) => b.includes(letter));
}

function ordered(access: string): string {
  return ["r", "w", "m"].filter((letter) => access.includes(letter)).join("");
}
