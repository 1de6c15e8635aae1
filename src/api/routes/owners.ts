import type { Socket } from "node:net";
import { SampanError } from "../../errors/index.ts";
import type { ApiContext } from "../context.ts";
import { hijackHeader } from "../http/raw-answers.ts";

/** What owners call themselves: they choose it, so that they can come back to a daemon that was started again. */
const ownerName = /^[0-9A-Za-z-]{16,64}$/;

/**
 * POST /sampan/owners/{name}: a connection that lasts as long as the process that made it. Its end, by whatever death, is
 * the end of all containers with the annotation `dev.sampan.owner={name}`. Whoever closes only their own half hears by the
 * end of ours that they are gone.
 */
export function holdOwner(
  { engine, leaving }: ApiContext,
  name: string,
  { socket, headers }: { readonly socket: Socket; readonly headers: Readonly<Record<string, string>> },
): void {
  if (!ownerName.test(name)) throw new SampanError("invalid", `invalid name of an owner: ${JSON.stringify(name)}`);
  const ended = engine.owners.claim(name);
  const cut = (): void => void socket.destroy();
  leaving.addEventListener("abort", cut);
  socket.once("close", () => {
    leaving.removeEventListener("abort", cut);
    // The daemon's leaving ends the connection, too; then it is no sign of death.
    if (!leaving.aborted) ended();
  });
  socket.once("end", () => {
    if (!leaving.aborted) void engine.owners.release(name).finally(() => socket.end());
  });
  socket.write(hijackHeader(headers, true, false));
  socket.resume();
}
