/**
 * The closed set of reasons for which Sampan refuses or fails. HTTP status and exit code derive from the kind, never
 * from the place that raised it; tests assert the kind, never the text.
 */
export const errorKinds = {
  /** The request is malformed or names something impossible; repeating it cannot help. */
  invalid: { status: 400 },
  /** Credentials are missing or were refused. */
  denied: { status: 403 },
  "not-found": { status: 404 },
  /** The object exists already, or its state forbids the action. */
  conflict: { status: 409 },
  /** The wanted state holds already; the API answers 304 without a body. */
  "not-modified": { status: 304 },
  /** This kernel, machine or version of Sampan cannot do it; the message names the feature and the remedy. */
  unsupported: { status: 501 },
  /** Something outside (a registry, the daemon, a device) does not answer; trying again may help. */
  unavailable: { status: 503 },
  /** Space, memory, descriptors or ids have run out. */
  exhausted: { status: 500 },
  /** What was asked for did not work out; dockerd, and hence we, answer 500 where no other status would surprise clients less. */
  failed: { status: 500 },
  cancelled: { status: 499 },
  timeout: { status: 504 },
  /** A defect of ours, or a kernel answer nobody expected. */
  internal: { status: 500 },
} as const;

export type ErrorKind = keyof typeof errorKinds;

/** A failure with its kind. `message` follows the grammar "Cannot <verb> <operand>: <current>, <wanted>". */
export class SampanError extends Error {
  readonly kind: ErrorKind;

  constructor(kind: ErrorKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "SampanError";
    this.kind = kind;
  }

  /** The HTTP status of the Docker Engine API that stands for this kind. */
  get status(): number {
    return errorKinds[this.kind].status;
  }
}

/** The kind of anything that was thrown; what is not ours is `internal`. */
export function kindOf(error: unknown): ErrorKind {
  return error instanceof SampanError ? error.kind : "internal";
}

/** The message of anything that was thrown, without a stack. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
