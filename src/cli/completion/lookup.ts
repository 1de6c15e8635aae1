import { SampanClient } from "../../client/client.ts";
import { chooseHost } from "../../client/host.ts";
import type { Candidate, Lookup } from "./complete.ts";

/** ms. Who presses a key does not wait for a daemon that is busy. */
const patience = 1500;

/** Asks the daemon that runs; none is started for a completion. */
export function daemonLookup(host: string | undefined): Lookup {
  const { socketPath } = chooseHost({ host });
  const client = new SampanClient({ host: `unix://${socketPath}` }).until(AbortSignal.timeout(patience));
  return async (kind) => {
    try {
      return await lists[kind](client);
    } catch {
      return [];
    } finally {
      client.close();
    }
  };
}

const lists: Readonly<Record<Parameters<Lookup>[0], (client: SampanClient) => Promise<readonly Candidate[]>>> = {
  container: (client) => containers(client, {}),
  running: (client) => containers(client, { status: ["running", "paused", "restarting"] }),
  stopped: (client) => containers(client, { status: ["created", "exited", "dead"] }),
  image: async (client) => {
    const images = await client.images.list();
    return images.flatMap(({ RepoTags: names }) => (names ?? []).map((value) => ({ value })));
  },
  network: async (client) => {
    const networks = await client.networks.list();
    return networks.map(({ Name: value, Driver: help }) => ({ value, help }));
  },
  volume: async (client) => {
    const { Volumes: volumes } = await client.volumes.list();
    return (volumes ?? []).map(({ Name: value }) => ({ value }));
  },
};

async function containers(
  client: SampanClient,
  filters: Readonly<Record<string, readonly string[]>>,
): Promise<readonly Candidate[]> {
  const found = await client.containers.list({ all: true, filters });
  return found.map(({ Names: [name = ""], Image: image, Status: status }) => ({
    value: name.replace(/^\//, ""),
    help: `${image}, ${status}`,
  }));
}
