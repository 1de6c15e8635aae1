import { bigint, bytes, bytesMap, int, message, optional, text, textMap } from "../../grpc/schema.ts";

/** Messages of the services that a build's client offers in its session. */

export const Bytes = message("BytesMessage", { data: bytes(1) });

/** Kinds of `Packet`. */
export const packets = { stat: 0, request: 1, data: 2, end: 3, error: 4 } as const;

/** fsutil.types.Stat. Names are bytes: they need not be UTF-8. `mode` is Go's os.FileMode, `modified` nanoseconds since 1970. */
export const Stat = message("Stat", {
  path: bytes(1),
  mode: int(2),
  uid: int(3),
  gid: int(4),
  size: int(5),
  modified: bigint(6),
  linkName: bytes(7),
  major: int(8),
  minor: int(9),
  xattrs: bytesMap(10),
});

/** fsutil.types.Packet. */
export const Packet = message("Packet", { type: int(1), stat: optional(2, Stat), id: int(3), data: bytes(4) });

export const CredentialsRequest = message("CredentialsRequest", { host: text(1) });
export const CredentialsResponse = message("CredentialsResponse", { username: text(1), secret: text(2) });

export const SecretRequest = message("GetSecretRequest", { id: text(1), annotations: textMap(2) });
export const SecretResponse = message("GetSecretResponse", { data: bytes(1) });

export const CheckAgentRequest = message("CheckAgentRequest", { id: text(1) });
export const CheckAgentResponse = message("CheckAgentResponse", {});
