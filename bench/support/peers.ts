import { join } from "node:path";
import { hasPeers, PeerWorld } from "../../test/support/peers.ts";
import { eventually } from "../../test/support/process.ts";
import { Api } from "./api.ts";

export { hasPeers };

/** An engine run by the `peers` tool in namespaces of its own, reached through its socket out here. */
export interface Peer {
  readonly socket: string;
  /** What is /engine in there. */
  readonly directory: string;
  /** The command line that runs argv beside the engine, for those whose CLI is no client. */
  readonly inside: (argv: readonly string[]) => string[];
  readonly api: Api;
  close(): Promise<void>;
}

/** Starts a peer that serves Docker's API at /engine/<name>.sock in there. */
export async function startPeer(name: string, argv: readonly string[], socketName: string): Promise<Peer> {
  const world = await PeerWorld.start(name, argv);
  const socket = join(world.directory, socketName);
  const api = new Api(socket);
  await eventually(
    `${name} answers`,
    () =>
      api.call("GET", "/_ping").then(
        () => true,
        () => false,
      ),
    60_000,
  );
  return {
    socket,
    directory: world.directory,
    api,
    inside: (command) => [...world.enter, ...command],
    close: async () => {
      api.close();
      await world.stop();
    },
  };
}
