import { type ErrorKind, SampanError } from "../errors/index.ts";
import { describeErrno, type Errno, errnoName } from "./errno.ts";
import { literal } from "./literal.ts";
import type { Step } from "./program.ts";
import { remedy } from "./remedies.ts";

const kinds: Partial<Record<Errno, ErrorKind>> = {
  ENOSPC: "exhausted",
  EDQUOT: "exhausted",
  ENOMEM: "exhausted",
  EMFILE: "exhausted",
  ENFILE: "exhausted",
  ENOSYS: "unsupported",
  EOPNOTSUPP: "unsupported",
};

/**
 * A step of a program that the kernel refused: what was being done, the call as it was made, the errno, and what to do
 * about it where we know. `results` is what the program had found out until then.
 */
export class KernelError extends SampanError {
  /** Undefined for a number that no header names. */
  readonly errno: Errno | undefined;
  readonly #step: Step | undefined;

  constructor(program: { readonly purpose: string }, step: Step | undefined, number: number) {
    const errno = errnoName(number);
    super(errno ? (kinds[errno] ?? "internal") : "internal", describe(program, step, number));
    this.name = "KernelError";
    this.errno = errno;
    this.#step = step;
  }

  /** The step that failed; undefined when the helper refused the program as a whole. */
  get step(): Step | undefined {
    return this.#step;
  }
}

function describe(program: { readonly purpose: string }, step: Step | undefined, number: number): string {
  const why = describeErrno(number);
  if (!step) return `Cannot ${program.purpose}: the helper refused the program: ${why}`;
  const errno = errnoName(number);
  const help = errno && remedy(step, errno);
  return `Cannot ${program.purpose}: ${step.note}: ${literal(step)}: ${why}${help ? `; ${help}` : ""}`;
}
