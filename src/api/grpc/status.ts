import { type ErrorKind, kindOf, messageOf, SampanError } from "../../errors/index.ts";
import { encode } from "./encode.ts";
import { bytes, int, message, repeated, text } from "./schema.ts";

/** https://grpc.io/docs/guides/status-codes/, those that are used here. */
export const codes = {
  ok: 0,
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  failedPrecondition: 9,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

const codeOfKind: Partial<Record<ErrorKind, number>> = {
  "not-found": codes.notFound,
  conflict: codes.failedPrecondition,
  unsupported: codes.unimplemented,
  denied: codes.permissionDenied,
  internal: codes.internal,
};

/** google.protobuf.Any: a message and what it is. */
export const Any = message("Any", { type_url: text(1), value: bytes(2) });

/** google.rpc.Status. */
export const Status = message("Status", { code: int(1), message: text(2), details: repeated(3, Any) });

export interface Detail {
  readonly type_url: string;
  readonly value: Buffer;
}

/** How a call ends that has failed. */
export class RpcError extends SampanError {
  readonly code: number;
  /** In the words of the client's error types. */
  readonly details: readonly Detail[];

  constructor(code: number, text: string, options: ErrorOptions & { readonly details?: readonly Detail[] } = {}) {
    super(code === codes.unimplemented ? "unsupported" : "invalid", text, options);
    this.name = "RpcError";
    this.code = code;
    this.details = options.details ?? [];
  }
}

/** The trailers of a call that has failed. */
export function trailersOf(error: unknown): Record<string, string> {
  const rpc = error instanceof RpcError ? error : undefined;
  const code = rpc?.code ?? codeOfKind[kindOf(error)] ?? codes.unknown;
  const text = messageOf(error);
  const details = rpc?.details ?? [];
  const status = encode(Status, { code, message: text, details });
  return {
    "grpc-status": String(code),
    "grpc-message": percentEncoded(text),
    ...(details.length > 0 && { "grpc-status-details-bin": status.toString("base64").replace(/=+$/, "") }),
  };
}

/** As gRPC wants messages: all but printable ASCII, and "%", as the bytes of UTF-8. */
function percentEncoded(text: string): string {
  const bytes = [...Buffer.from(text)];
  const encoded = (byte: number) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  return bytes
    .map((byte) => (byte < 0x20 || byte > 0x7e || byte === 0x25 ? encoded(byte) : String.fromCharCode(byte)))
    .join("");
}

/** The text of a `grpc-message`; one that is malformed is taken as it is. */
export function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
