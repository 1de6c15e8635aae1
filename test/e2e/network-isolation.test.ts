import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { requires } from "../support/requires.ts";
import { uplink } from "../support/uplink.ts";

const net = world();

/** Networks with both families, and who is on them. */
const networks = [
  { name: "one", third: 1, members: ["a1", "a2"], options: [] },
  { name: "two", third: 2, members: ["b1"], options: [] },
  { name: "inner", third: 3, members: ["i1", "i2"], options: ["--internal"] },
  { name: "apart", third: 4, members: ["p1", "p2"], options: ["-o", "com.docker.network.bridge.enable_icc=false"] },
] as const;

interface Place {
  readonly v4?: string;
  readonly v6?: string;
}

const addressesOf = (third: number, host: number): Place => ({
  v4: `10.81.${third}.${host}`,
  v6: `fd00:81:${third}::${host}`,
});

/** Everything that is asked, by name; a gateway is the machine's address on that network. */
const places: Record<string, Place> = {
  machine: uplink.machine,
  outside: uplink.outside,
  ...Object.fromEntries(networks.map(({ name, third }) => [`gateway of ${name}`, addressesOf(third, 1)])),
  ...Object.fromEntries(
    networks.flatMap(({ third, members }) => members.map((member, i) => [member, addressesOf(third, 10 + i)])),
  ),
};

/** Both families, all protocols. */
const kinds = [
  ["tcp", "v4"],
  ["udp", "v4"],
  ["icmp", "v4"],
  ["tcp", "v6"],
  ["udp", "v6"],
  ["icmp", "v6"],
] as const;

function targetOf(protocol: string, address: string): string {
  return protocol === "icmp" ? `icmp:${address}` : `${protocol}:${address}:7000`;
}

/** What somebody gets through to: "all" he has a family for, "none", or the kinds of traffic that pass, for each place. */
async function reach(who: string): Promise<Record<string, string>> {
  const own = places[who];
  const targets = Object.values(places).flatMap((place) =>
    kinds.flatMap(([protocol, family]) => (place[family] === undefined ? [] : [targetOf(protocol, place[family])])),
  );
  const answers = await net.ask(who, targets, 500);
  const passes = (protocol: string, address: string | undefined) =>
    address !== undefined && /^\S+ [0-9a-f:.]+$|^reply$/.test(answers[targetOf(protocol, address)] ?? "");
  const summary = (place: Place) => {
    const asked = kinds.filter(([, family]) => place[family] !== undefined && own?.[family] !== undefined);
    const passed = asked.filter(([protocol, family]) => passes(protocol, place[family]));
    if (passed.length === asked.length) return "all";
    return passed.length === 0 ? "none" : passed.map((kind) => kind.join("")).join(" ");
  };
  return Object.fromEntries(Object.entries(places).map(([name, place]) => [name, summary(place)]));
}

/**
 * He reaches these places by all there is, and no other by anything. What should pass is asked for more than once: on a busy
 * machine an answer may come late, which is no closed door.
 */
async function reachesOnly(who: string, ...names: string[]): Promise<void> {
  const expected = Object.fromEntries(Object.keys(places).map((name) => [name, names.includes(name) ? "all" : "none"]));
  for (let attempt = 1; ; attempt++) {
    const found = await reach(who);
    const late = Object.keys(places).filter((name) => names.includes(name) && found[name] !== "all");
    const leaks = Object.keys(places).some((name) => !names.includes(name) && found[name] !== "none");
    if (leaks || late.length === 0 || attempt === 4) return assert.deepEqual(found, expected, who);
  }
}

suite("who reaches whom, as with dockerd", requires("docker", "ip", "nft", "cc"), () => {
  before(async () => {
    for (const { name, third, members, options } of networks) {
      const subnets = ["--subnet", `10.81.${third}.0/24`, "--ipv6", "--subnet", `fd00:81:${third}::/64`];
      await net.ok("network", "create", ...options, ...subnets, name);
      for (const member of members) {
        const { v4 = "", v6 = "" } = places[member] ?? {};
        await net.serve(member, ["--network", name, "--ip", v4, "--ip6", v6]);
      }
    }
    await net.serve("d1");
    places.d1 = { v4: await net.address("d1", "bridge") };
    places["gateway of bridge"] = { v4: await net.inspect("d1", "{{.NetworkSettings.Networks.bridge.Gateway}}") };
  });

  const gateways = ["gateway of one", "gateway of two", "gateway of inner", "gateway of apart", "gateway of bridge"];

  test("the machine reaches all", async () => {
    await reachesOnly("machine", ...Object.keys(places));
  });

  test("a host outside reaches the machine, no container", async () => {
    await reachesOnly("outside", "machine", "outside", ...gateways);
  });

  test("a container reaches its network, the machine and the world", async () => {
    await reachesOnly("a1", "machine", "outside", "a1", "a2", ...gateways);
    await reachesOnly("b1", "machine", "outside", "b1", ...gateways);
  });

  test("one on the default network likewise", async () => {
    await reachesOnly("d1", "machine", "outside", "d1", ...gateways);
  });

  test("an internal network is all there is", async () => {
    await reachesOnly("i1", "i1", "i2", "gateway of inner");
  });

  test("without inter-container communication neighbours are strangers", async () => {
    await reachesOnly("p1", "machine", "outside", "p1", ...gateways);
  });

  test("outside sees the machine's address, not a container's", async () => {
    const { machine, outside } = uplink;
    const targets = [`tcp:${outside.v4}:7000`, `udp:${outside.v4}:7000`, `tcp:${outside.v6}:7000`];
    const [tcp, udp, six] = targets;
    assert.deepEqual(await net.ask("a1", targets), {
      [tcp ?? ""]: `outside ${machine.v4}`,
      [udp ?? ""]: `outside ${machine.v4}`,
      [six ?? ""]: `outside ${machine.v6}`,
    });
  });

  test("the machine sees the container's own address", async () => {
    assert.equal(await net.answer("a1", "tcp:10.81.1.1:7000"), "host 10.81.1.10");
    assert.equal(await net.answer("machine", "tcp:10.81.1.10:7000"), "a1 10.81.1.1");
  });
});
