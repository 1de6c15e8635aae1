import type { IncomingMessage } from "node:http";
import { messageOf, SampanError } from "../../errors/index.ts";

/** The body of a request as it comes. The connection stays usable when not all of it is read; a client that leaves is "cancelled". */
export async function* uploaded(request: IncomingMessage): AsyncGenerator<Uint8Array> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new SampanError("cancelled", `Cannot read what is uploaded: the client has left: ${messageOf(cause)}`, {
      cause,
    });
  }
}
