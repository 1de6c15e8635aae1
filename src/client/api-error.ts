import type { ErrorKind } from "../errors/index.ts";
import { SampanError } from "../errors/index.ts";

const kinds: Readonly<Record<number, ErrorKind>> = {
  304: "not-modified",
  400: "invalid",
  401: "denied",
  403: "denied",
  404: "not-found",
  405: "unsupported",
  406: "unsupported",
  409: "conflict",
  499: "cancelled",
  501: "unsupported",
  503: "unavailable",
  504: "timeout",
};

/** What the daemon refused or failed at: the kind by the status, the message from the API's `{"message": …}`. */
export class ApiError extends SampanError {
  /** The HTTP status, from which the kind was made. */
  readonly httpStatus: number;

  constructor(httpStatus: number, body: string) {
    super(kinds[httpStatus] ?? "internal", messageIn(body) || `the daemon answered with status ${httpStatus}`);
    this.name = "ApiError";
    this.httpStatus = httpStatus;
  }
}

function messageIn(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === "object" && parsed !== null && "message" in parsed) return String(parsed.message);
  } catch {
    // Not JSON: a proxy or another server answered; its text is all there is.
  }
  return body.trim();
}

const remedies: Readonly<Record<string, string>> = {
  ENOENT: "no socket is there. Is the daemon running? Start it with 'sampan daemon'",
  ECONNREFUSED: "nobody listens on the socket. Is the daemon running? Start it with 'sampan daemon'",
  EACCES: "permission denied. Use sudo, or the user the daemon belongs to",
  EPERM: "permission denied. Use sudo, or the user the daemon belongs to",
};

/** The error codes that mean "no daemon is there", as opposed to "it does not let us in". */
export function isAbsent(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ECONNREFUSED";
}

/** A connection that failed, with the remedy; errors of other kinds stay what they are. */
export function connectionError(socketPath: string, cause: unknown): Error {
  if (cause instanceof SampanError) return cause;
  const code = codeOf(cause) ?? "";
  const remedy = remedies[code];
  if (remedy === undefined) {
    const text = cause instanceof Error ? cause.message : String(cause);
    return new SampanError("unavailable", `The connection to the Sampan daemon broke: ${text}`, { cause });
  }
  const message = `Cannot connect to the Sampan daemon at unix://${socketPath}: ${remedy} (${code})`;
  return new SampanError("unavailable", message, { cause });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}
