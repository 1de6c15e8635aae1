import { SampanError } from "../../errors/index.ts";
import type { PublishedPort } from "../types.ts";
import type { PublishTarget } from "./types.ts";

/** A port of the machine that somebody has: another container, or any process when the start program binds it. */
export function portTaken(target: PublishTarget, port: Pick<PublishedPort, "hostAddress" | "hostPort">): SampanError {
  return publishError(target, `Bind for ${port.hostAddress}:${port.hostPort} failed: port is already allocated`);
}

/** dockerd's words around the reason why ports cannot be published; it answers 500, too. */
export function publishError({ endpointName, endpointId }: PublishTarget, reason: string): SampanError {
  const where = `driver failed programming external connectivity on endpoint ${endpointName} (${endpointId})`;
  return new SampanError("exhausted", `failed to set up container networking: ${where}: ${reason}`);
}
