import { mkdtempSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { busybox, dockerArchive, type Entry, tar } from "./images.ts";
import { Namespace } from "./namespace.ts";
import { eventually, succeed } from "./process.ts";

/** Addresses of the uplink between the machine and the host that stands for all others. */
export const uplink = {
  machine: { v4: "192.0.2.2", v6: "2001:db8:1::2" },
  outside: { v4: "192.0.2.1", v6: "2001:db8:1::1" },
} as const;

/** What every name means that the machine's own name server is asked for. */
export const upstreamAnswer = "192.0.2.99";

/** The image of every test here: busybox and the probe. */
export const image = "probe:latest";

/** An image with busybox and the compiled probe, as docker load wants it. */
export async function probeArchive(probe: string): Promise<Buffer> {
  const base = await busybox();
  const entry: Entry = { name: "bin/probe", mode: 0o755, body: readFileSync(probe) };
  return await dockerArchive({ ...base, layers: [...base.layers, await tar([entry])] }, [image]);
}

export async function compileProbe(directory: string): Promise<string> {
  const binary = join(directory, "probe");
  await succeed("cc", ["-O1", "-static", "-o", binary, join(import.meta.dirname, "probe.c")]);
  return binary;
}

/** The host outside, connected to the machine by a cable whose end in there is eth0 (or `link`). */
export async function makeOutside(directory: string, machine: Namespace, link: string): Promise<Namespace> {
  const scratch = mkdtempSync(join(directory, "outside-"));
  const outside = await Namespace.make(`outside of ${directory}`, scratch);
  await machine.connect(link, outside, "uplink");
  const { machine: here, outside: there } = uplink;
  const addresses = (device: string, { v4, v6 }: { v4: string; v6: string }) =>
    `ip addr add ${v4}/24 dev ${device}; ip addr add ${v6}/64 dev ${device} nodad; ip link set ${device} up`;
  await outside.ok("sh", "-ec", addresses("uplink", there));
  const routes = `ip route replace default via ${there.v4}; ip -6 route replace default via ${there.v6}`;
  await machine.ok("sh", "-ec", `${addresses(link, here)}; ${routes}`);
  // It tries to reach containers directly: nothing but the machine's rules may be in the way.
  const ranges = ["172.16.0.0/12", "192.168.0.0/16", "10.0.0.0/8"].map(
    (range) => `ip route add ${range} via ${here.v4}`,
  );
  await outside.ok("sh", "-ec", [...ranges, `ip -6 route add fc00::/7 via ${here.v6}`].join("; "));
  return outside;
}

/** What is in a network namespace, to be the same afterwards: links, addresses, routes, rules and tables of ours. */
export async function stateOf(namespace: Namespace): Promise<string[]> {
  const lines = async (...argv: string[]) => (await namespace.ok(...argv)).split("\n").filter((line) => line !== "");
  const links = (await lines("ip", "-o", "link")).map((line) => line.replace(/ (state|mode|qdisc|group) .*/, ""));
  const addresses = (await lines("ip", "-o", "addr")).map((line) => line.replace(/\\.*| tentative/g, "").trim());
  const routes = [...(await lines("ip", "route")), ...(await lines("ip", "-6", "route"))].map((line) => line.trim());
  const rules = await lines("ip", "rule");
  const tables = (await lines("nft", "list", "tables")).filter((line) => line.includes("sampan"));
  return [...links, ...addresses, ...routes, ...rules, ...tables].toSorted();
}

/** Waits until no link-local address is tentative and the cables' routes are there. */
export async function settled(...namespaces: Namespace[]): Promise<void> {
  for (const namespace of namespaces) {
    // A cable's end is a veth; an engine's bridge has no carrier until a container is on it.
    const cables = async () => (await namespace.ok("ip", "-o", "link", "show", "type", "veth")).split("\n");
    const linked = async () => !(await cables()).some((line) => line.includes("NO-CARRIER"));
    // A link's own address comes only once its carrier is there.
    const local = async () => (await namespace.ok("ip", "-6", "addr", "show", "scope", "link")) !== "";
    const tentative = async () => await namespace.ok("ip", "-6", "addr", "show", "tentative");
    const isSettled = async () => (await linked()) && (await local()) && (await tentative()) === "";
    await eventually("links and addresses are settled", isSettled);
  }
}
