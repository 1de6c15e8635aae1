import { connect, createServer, type Socket } from "node:net";

export interface Dropper {
  readonly host: string;
  /** How many connections were broken. */
  readonly broken: number;
  close(): Promise<void>;
}

/**
 * Stands between a client and a registry and breaks connections: `budget` says for each one, from the first on, how many
 * bytes it lives for in each direction; infinity for those that are let be.
 */
export async function startDropper(
  upstream: string,
  budget: (connection: number) => { readonly up: number; readonly down: number },
): Promise<Dropper> {
  const [host = "", port = ""] = upstream.split(":");
  let [count, broken] = [0, 0];
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const { up, down } = budget(count++);
    const registry = connect(Number(port), host);
    const cut = () => {
      broken++;
      for (const socket of [client, registry]) socket.resetAndDestroy();
    };
    limited(client, registry, up, cut);
    limited(registry, client, down, cut);
    for (const socket of [client, registry]) {
      open.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        open.delete(socket);
        for (const other of [client, registry]) other.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    host: `127.0.0.1:${typeof address === "object" ? address?.port : 0}`,
    get broken() {
      return broken;
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

/** Passes bytes on until there were too many; those up to then have arrived. */
function limited(from: Socket, to: Socket, limit: number, cut: () => void): void {
  let left = limit;
  let isOver = false;
  from.on("data", (chunk: Buffer) => {
    if (isOver) return;
    const part = chunk.subarray(0, left);
    left -= part.length;
    // Also when there is nothing to pass on: a limit of 0.
    isOver = left <= 0;
    const last = isOver ? () => setTimeout(cut, 20) : undefined;
    const goOn = to.write(part, last);
    if (goOn) return;
    from.pause();
    to.once("drain", () => from.resume());
  });
  from.once("end", () => to.end());
}
