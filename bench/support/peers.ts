import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { eventually, succeed } from "../../test/support/process.ts";
import { Api } from "./api.ts";

const tool = process.env.SAMPAN_PEERS ?? resolve(import.meta.dirname, "../../../shared/tools/peers");

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

/** Whether there is a tree of peers on this machine. */
export function hasPeers(): boolean {
  return existsSync(tool) && existsSync(join(process.env.PEERS ?? "/var/tmp/peers", "root/.ready"));
}

/** Starts a peer that serves Docker's API at /engine/<name>.sock in there. */
export async function startPeer(name: string, argv: readonly string[], socketName: string): Promise<Peer> {
  await succeed(tool, ["start", name, ...argv]);
  const engine = (await succeed(tool, ["path", name])).trim();
  const socket = join(engine, socketName);
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
    directory: engine,
    api,
    inside: (command) => [tool, "exec", name, ...command],
    close: async () => {
      api.close();
      await succeed(tool, ["stop", name]);
    },
  };
}
