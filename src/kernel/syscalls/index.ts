import { SampanError } from "../../errors/index.ts";
import { aarch64 } from "./aarch64.ts";
import { unified } from "./unified.ts";
import { x86_64 } from "./x86_64.ts";

/** The architectures Sampan runs on, by the kernel's names (`uname -m`). */
export type Arch = "x86_64" | "aarch64";

/** A system call that exists on at least one of our architectures. */
export type SyscallName = keyof typeof x86_64 | keyof typeof aarch64 | keyof typeof unified;

const tables: Readonly<Record<Arch, Readonly<Record<string, number>>>> = {
  x86_64: { ...x86_64, ...unified },
  aarch64: { ...aarch64, ...unified },
};

/** The architecture of this machine. Throws `unsupported` on any other than x86-64 and arm64. */
export function hostArch(): Arch {
  if (process.arch === "x64") return "x86_64";
  if (process.arch === "arm64") return "aarch64";
  throw new SampanError("unsupported", `Cannot run on ${process.arch}: Sampan needs x86-64 or arm64`);
}

/**
 * The number of a system call. Throws `unsupported` when the architecture lacks it (arm64 has no `open`, `mkdir`,
 * `rename`, `dup2`, `fork`…: use the `…at` form, `dup3`, `clone`).
 */
export function syscallNumber(name: SyscallName, arch: Arch = hostArch()): number {
  const number = tables[arch][name];
  if (number === undefined) {
    throw new SampanError("unsupported", `Cannot call ${name}: the kernel has no such system call on ${arch}`);
  }
  return number;
}

const namesByNumber = new Map<Arch, ReadonlyMap<number, SyscallName>>();

/** The name behind a number, or undefined for one that is newer than this table. */
export function syscallName(number: number, arch: Arch = hostArch()): SyscallName | undefined {
  let names = namesByNumber.get(arch);
  if (names === undefined) {
    names = new Map(Object.entries(tables[arch]).map(([name, value]) => [value, name as SyscallName]));
    namesByNumber.set(arch, names);
  }
  return names.get(number);
}

/** The whole table of an architecture, name → number. */
export function syscallTable(arch: Arch): Readonly<Record<string, number>> {
  return tables[arch];
}
