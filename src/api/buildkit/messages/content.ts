import { bytes, int, message, optional, text } from "../../grpc/schema.ts";

/** Messages of containerd.services.content.v1.Content, by which a client lends a store for blobs; those of their fields that are used. */

export const InfoRequest = message("InfoRequest", { digest: text(1) });
const Info = message("Info", { digest: text(1), size: int(2) });
export const InfoResponse = message("InfoResponse", { info: optional(1, Info) });

export const ReadRequest = message("ReadContentRequest", { digest: text(1), offset: int(2), size: int(3) });
export const ReadResponse = message("ReadContentResponse", { offset: int(1), data: bytes(2) });

/** Kinds of `WriteRequest`. */
export const actions = { stat: 0, write: 1, commit: 2 } as const;

export const WriteRequest = message("WriteContentRequest", {
  action: int(1),
  ref: text(2),
  total: int(3),
  expected: text(4),
  offset: int(5),
  data: bytes(6),
});
export const WriteResponse = message("WriteContentResponse", { action: int(1), offset: int(4), digest: text(6) });
