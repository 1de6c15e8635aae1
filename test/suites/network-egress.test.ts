import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, suite, test } from "node:test";
import { EgressControl } from "../../src/network/egress/control.ts";
import type { EgressAttempt, Guarded } from "../../src/network/egress/types.ts";
import type { Connection } from "../../src/network/host/types.ts";
import { type Container, cable, connection, kernelWorld, network, sh } from "../support/network-host.ts";
import { inOwnNetwork } from "../support/own-network.ts";
import { eventually } from "../support/process.ts";

const { outside: there } = cable;
/** A UDP datagram in IPv4 as hexadecimal digits, without UDP's checksum. */
function udpPacket(source: string, destination: string, port: number, text: string): string {
  const header = Buffer.alloc(28);
  header.writeUInt16BE(0x4500, 0);
  header.writeUInt16BE(28 + text.length, 2);
  header.writeUInt16BE(64 * 256 + 17, 8);
  header.set(source.split(".").map(Number), 12);
  header.set(destination.split(".").map(Number), 16);
  let sum = 0;
  for (let at = 0; at < 20; at += 2) sum += header.readUInt16BE(at);
  header.writeUInt16BE(0xffff - ((sum % 0x10000) + Math.floor(sum / 0x10000)), 10);
  header.writeUInt16BE(port, 20);
  header.writeUInt16BE(port, 22);
  header.writeUInt16BE(8 + text.length, 24);
  return header.toString("hex") + Buffer.from(text).toString("hex");
}

/** More addresses of the host outside. */
const other = { v4: "192.0.2.3", v6: "2001:db8:1::3" };

inOwnNetwork(import.meta.url, () => {
  const world = kernelWorld();
  const one = network("one", 1);
  const two = network("two", 2);
  const attempts: EgressAttempt[] = [];
  const warnings: string[] = [];
  let control: EgressControl;
  let guarded: Guarded[] = [];

  const newControl = () =>
    new EgressControl({
      executor: world.executor,
      suffix: world.suffix,
      warn: (text) => warnings.push(text),
      tell: (attempt) => attempts.push(attempt),
    });

  beforeEach(() => {
    control = newControl();
    world.outside.sh(`ip addr replace ${other.v4}/24 dev uplink; ip addr replace ${other.v6}/64 dev uplink nodad`);
  });
  afterEach(async () => {
    await world.clear();
    for (const { containerId } of guarded) control.know(containerId, [], true);
    await control.remove(guarded);
    await control.close({ remove: true });
    guarded = [];
    attempts.length = 0;
    assert.deepEqual(
      sh("nft list tables")
        .split("\n")
        .filter((line) => line.includes("egress")),
      [],
    );
    assert.deepEqual(warnings.splice(0), []);
  });

  /** A container that may reach only what is listed, and a neighbour that may reach everything. */
  async function start(allow: readonly string[], own: Partial<Connection["endpoint"]> = {}): Promise<Container> {
    const joined = connection("a", one, 10, { hostInterface: "veth0a0a0a0a0a0", ...own });
    guarded = control.guardedOf({ allow }, [joined]);
    control.know(joined.endpoint.containerId, guarded, false);
    await world.host.ensure(one);
    await control.prepare(guarded);
    for (const each of guarded) await control.add(each);
    const a = await world.start("a", [joined]);
    await a.serve(7000);
    return a;
  }

  async function neighbour(): Promise<Container> {
    const b = await world.start("b", [connection("b", one, 11, { hostInterface: "veth0b0b0b0b0b0" })]);
    await b.serve(7000);
    return b;
  }

  const ends = (answers: Record<string, string>) => new Set(Object.values(answers));
  const nothing = new Set(["timeout"]);
  const id = () => guarded[0]?.containerId ?? "";
  const answer = (name: string, ttl: number, ...addresses: string[]) =>
    control.onAnswer(
      id(),
      { name, type: 1 },
      addresses.map((address) => ({ name: "end.of.the.chain", address, ttl })),
    );

  for (const filter of [0, 1] as const) {
    suite(`with bridge-nf-call-iptables=${filter}`, () => {
      test("nothing leaves but what is listed; neighbours are no outside", async () => {
        world.bridgeFilter(filter);
        const a = await start([other.v4, `[${other.v6}]:7000`]);
        const b = await neighbour();
        const c = await world.start("c", [connection("c", two, 10, { hostInterface: "veth0c0c0c0c0c0" })]);
        await c.serve(7000);
        const allowed = {
          "tcp:10.81.1.11:7000": "b 10.81.1.10",
          "udp:fd00:81:1::11:7000": "b fd00:81:1::10",
          "icmp:10.81.1.11": "reply",
          [`tcp:${other.v4}:7000`]: "outside 192.0.2.2",
          [`udp:${other.v4}:7000`]: "outside 192.0.2.2",
          [`icmp:${other.v4}`]: "reply",
          [`tcp:${other.v6}:7000`]: "outside 2001:db8:1::2",
          [`udp:${other.v6}:7000`]: "outside 2001:db8:1::2",
        };
        assert.deepEqual(await a.ask(...Object.keys(allowed)), allowed);
        const refused = [
          `tcp:${there.v4}:7000`,
          `udp:${there.v4}:7000`,
          `icmp:${there.v4}`,
          `tcp:${there.v6}:7000`,
          `icmp:${there.v6}`,
          `icmp:${other.v6}`, // the list has only a port of it
          "tcp:10.81.1.1:7000", // the machine
          "icmp:10.81.1.1",
          "icmp:fd00:81:1::1",
          "tcp:192.0.2.2:7000",
          "tcp:10.81.2.10:7000", // another network
          "tcp:10.81.2.1:7000",
        ];
        assert.deepEqual(ends(await a.ask(...refused)), nothing);
        // It is reached as ever, and its neighbour reaches all
        assert.deepEqual(await b.ask("tcp:10.81.1.10:7000", `tcp:${there.v4}:7000`), {
          "tcp:10.81.1.10:7000": "a 10.81.1.11",
          [`tcp:${there.v4}:7000`]: "outside 192.0.2.2",
        });
        assert.deepEqual(await world.ask("tcp:10.81.1.10:7000", "udp:fd00:81:1::10:7000"), {
          "tcp:10.81.1.10:7000": "a 10.81.1.1",
          "udp:fd00:81:1::10:7000": "a fd00:81:1::1",
        });
      });

      test("other addresses than its own do not help, and no neighbour that forwards", async () => {
        world.bridgeFilter(filter);
        const a = await start([]);
        const b = await neighbour();
        b.sh("echo 1 >/proc/sys/net/ipv4/ip_forward; echo 1 >/proc/sys/net/ipv6/conf/all/forwarding");
        // The neighbour's address, which has no policy, and one of nobody
        a.sh("ip addr add 10.81.1.11/32 dev eth0; ip addr add 10.81.1.99/32 dev eth0");
        for (const source of ["10.81.1.11", "10.81.1.99"]) {
          a.sh(`ip route replace default via 10.81.1.1 src ${source}`);
          assert.deepEqual(ends(await a.ask(`tcp:${there.v4}:7000`, `udp:${there.v4}:7000`)), nothing, source);
        }
        a.sh(
          "ip addr add fd00:81:1::99/128 dev eth0 nodad; ip -6 route replace default via fd00:81:1::1 src fd00:81:1::99",
        );
        assert.deepEqual(ends(await a.ask(`tcp:${there.v6}:7000`)), nothing);
        // Through the neighbour as a router
        a.sh("ip addr del 10.81.1.11/32 dev eth0; ip route replace default via 10.81.1.11 src 10.81.1.10");
        a.sh("ip -6 addr del fd00:81:1::99/128 dev eth0; ip -6 route replace default via fd00:81:1::11");
        assert.deepEqual(ends(await a.ask(`tcp:${there.v4}:7000`, `tcp:${there.v6}:7000`)), nothing);
        // To the machine by its link-local address
        assert.deepEqual(ends(await a.ask("tcp:fe80::1%eth0:7000")).has("host"), false);
        await eventually("all kinds are told", () =>
          ["10.81.1.99", "fd00:81:1::99"].every((source) => attempts.some((attempt) => attempt.source === source)),
        );
      });

      test("what is sent to all goes to nobody", async () => {
        world.bridgeFilter(filter);
        const a = await start([]);
        await neighbour();
        assert.deepEqual(ends(await a.ask("udp:224.0.0.1:7000", "udp:239.1.2.3:7000", "icmp:224.0.0.1")), nothing);
        await eventually("it is told", () => attempts.some(({ destination }) => destination === "224.0.0.1"));
      });
    });
  }

  test("frames that go past the bridge's rules, are tagged, or have another's address reach nothing of the machine", async () => {
    const a = await start([]);
    const b = await neighbour();
    const bridge = guarded[0]?.bridge ?? "";
    // Not every kernel has links of VLANs
    const vlan =
      "ip link add link $1 name tagged type vlan id 5 && ip addr add 10.99.0.1/24 dev tagged && ip link set tagged up";
    sh(`set -- ${bridge}; (${vlan}) 2>/dev/null || true
cc -O1 -o ${world.directory}/frame ${join(import.meta.dirname, "../support/frame.c")}`);
    const receiver = createSocket("udp4");
    const received: string[] = [];
    receiver.on("message", (text) => received.push(String(text)));
    await new Promise<void>((done) => receiver.bind(7777, done));
    const router = sh(`cat /sys/class/net/${bridge}/address`).replaceAll(":", "");
    const send = (who: Container, source: string, text: string) => {
      const mac = who.sh("cat /sys/class/net/eth0/address").replaceAll(":", "");
      const packet = udpPacket(source, "10.81.1.1", 7777, text);
      const far = udpPacket(source, "10.99.0.1", 7777, text);
      const frames = [
        `${router}${mac}0800${packet}`,
        `0180c200000e${mac}0800${packet}`,
        `${router}${mac}81000000 0800${packet}`,
        `${router}${mac}81000005 0800${far}`,
      ];
      who.sh(`${world.directory}/frame eth0 ${frames.map((hex) => hex.replaceAll(" ", "")).join(" ")}`);
    };
    send(b, "10.81.1.11", "neighbour");
    const all = existsSync("/sys/class/net/tagged") ? 4 : 3;
    await eventually("frames without a policy come in", () => received.length === all);
    received.length = 0;
    for (const source of ["10.81.1.10", "10.81.1.11", "10.81.1.99"]) send(a, source, "boxed");
    send(b, "10.81.1.11", "neighbour");
    await eventually("the last have come", () => received.length >= all);
    assert.deepEqual([...new Set(received)], ["neighbour"]);
    receiver.close();
    sh("ip link del tagged 2>/dev/null || true");
  });

  test("names open addresses for a time; connections outlast it", async () => {
    world.bridgeFilter(0);
    const a = await start(["api.example.com", "*.example.org:7000"]);
    assert.ok(control.mayResolve(id(), "api.example.com"));
    assert.ok(control.mayResolve(id(), "a.b.example.org"));
    for (const name of ["example.com", "x.api.example.com", "example.org", "other.test"])
      assert.ok(!control.mayResolve(id(), name), name);
    assert.deepEqual(
      attempts.splice(0).map(({ name, protocol }) => `${protocol} ${name}`),
      ["dns example.com", "dns x.api.example.com", "dns example.org", "dns other.test"],
    );
    assert.deepEqual(ends(await a.ask(`tcp:${there.v4}:7000`)), nothing);
    await answer("api.example.com", 30, there.v4, there.v6, "169.254.169.254", "127.0.0.1");
    await answer("a.example.org", 86_400, other.v4);
    const reached = [`tcp:${there.v4}:7000`, `icmp:${there.v4}`, `tcp:${there.v6}:7000`, `tcp:${other.v4}:7000`];
    assert.equal(ends(await a.ask(...reached)).has("timeout"), false);
    assert.deepEqual(ends(await a.ask(`icmp:${other.v4}`, "tcp:169.254.169.254:80")), nothing);
    const listed = sh(`nft list table inet sampan${world.suffix}-egress`);
    assert.match(listed, /192\.0\.2\.1 timeout 1m30s/);
    assert.match(listed, /192\.0\.2\.3 \. 7000 timeout 1h1m/, "long times are cut");
    assert.doesNotMatch(listed, /169\.254|127\.0/);
    await eventually("the attempt has its name", () =>
      attempts.some(
        ({ destination, protocol, name }) =>
          destination === other.v4 && protocol === "icmp" && name === "a.example.org",
      ),
    );
  });

  test("of two policies both have to allow it", async () => {
    const strict = network("strict", 3, { egress: { allow: ["192.0.2.0/24:7000", "api.test"] } });
    const joined = connection("a", strict, 10, { hostInterface: "veth0a0a0a0a0a0" });
    guarded = control.guardedOf({ allow: [other.v4, "api.test:7000", "mine.test"] }, [joined]);
    control.know(joined.endpoint.containerId, guarded, false);
    await world.host.ensure(strict);
    await control.prepare(guarded);
    for (const each of guarded) await control.add(each);
    const a = await world.start("a", [joined]);
    assert.deepEqual(ends(await a.ask(`tcp:${other.v4}:7000`)), new Set(["outside 192.0.2.2"]));
    assert.deepEqual(ends(await a.ask(`icmp:${other.v4}`, `tcp:${there.v4}:7000`)), nothing);
    assert.ok(!control.mayResolve(id(), "mine.test"));
    assert.ok(control.mayResolve(id(), "api.test"));
    await answer("api.test", 30, there.v4);
    assert.deepEqual(ends(await a.ask(`tcp:${there.v4}:7000`)), new Set(["outside 192.0.2.2"]));
    await world.clear();
    await world.host.remove(strict);
  });

  test("connections of an address's earlier owner do not go on", async () => {
    const free = await world.start("a", [connection("a", one, 10, { hostInterface: "veth0a0a0a0a0a0" })]);
    assert.equal((await free.ask(`udp:${there.v4}:7000`))[`udp:${there.v4}:7000`], "outside 192.0.2.2");
    assert.match(sh("cat /proc/net/nf_conntrack || conntrack -L 2>/dev/null"), /src=10\.81\.1\.10/);
    await world.end(free);
    await start([]);
    assert.doesNotMatch(sh("cat /proc/net/nf_conntrack || conntrack -L 2>/dev/null"), /src=10\.81\.1\.10/);
  });

  test("rules that somebody has flushed are made again with the next container", async () => {
    const a = await start([]);
    sh(`nft delete table inet sampan${world.suffix}-egress`);
    const more = control.guardedOf({ allow: [] }, [connection("more", one, 78, { hostInterface: "veth0e0e0e0e0e0" })]);
    await control.prepare(more);
    for (const each of more) await control.add(each);
    assert.deepEqual(ends(await a.ask(`tcp:${there.v4}:7000`)), nothing);
    await control.remove(more);
  });

  test("rules that somebody has flushed are put back for those that run, with what names have opened", async () => {
    const a = await start(["api.test"]);
    await answer("api.test", 30, there.v4);
    const tables = ["inet", "bridge"].map((family) => `${family} sampan${world.suffix}-egress`);
    for (const table of tables) sh(`nft delete table ${table}`);
    const meanwhile = `udp:${other.v4}:7000`;
    assert.deepEqual(ends(await a.ask(meanwhile)), new Set(["outside 192.0.2.2"]), "nobody was told");
    await control.restore();
    assert.deepEqual(ends(await a.ask(meanwhile, `tcp:${other.v4}:7000`)), nothing);
    assert.deepEqual(ends(await a.ask(`tcp:${there.v4}:7000`)), new Set(["outside 192.0.2.2"]));
    const rules = sh("nft list ruleset");
    await control.restore();
    assert.equal(sh("nft list ruleset").replaceAll(/expires \S+/g, ""), rules.replaceAll(/expires \S+/g, ""));
  });

  test("another daemon finds everything as it was", async () => {
    const a = await start(["api.test"]);
    await answer("api.test", 30, there.v4);
    const rules = () => sh("nft list ruleset").replaceAll(/expires \S+/g, "");
    const before = rules();
    await control.close({ remove: false });
    assert.equal(rules(), before);
    assert.deepEqual(ends(await a.ask(`tcp:${other.v4}:7000`)), nothing);
    control = newControl();
    control.know(id(), guarded, false);
    await control.recover(guarded);
    assert.equal(rules(), before);
    assert.deepEqual(ends(await a.ask(`tcp:${there.v4}:7000`)), new Set(["outside 192.0.2.2"]));
    // Recovery does not wait until somebody listens
    await eventually("it is told again", async () => {
      assert.deepEqual(ends(await a.ask(`tcp:${other.v4}:7000`)), nothing);
      return attempts.some(({ destination }) => destination === other.v4);
    });
    // Another container's end that nobody has seen leaves this one's as it is
    const gone = connection("gone", one, 77, { hostInterface: "veth0d0d0d0d0d0" });
    const lost = control.guardedOf({ allow: ["api.test", "other.test:80", "10.0.0.0/8:80"] }, [gone]);
    await control.prepare(lost);
    for (const each of lost) await control.add(each);
    assert.notEqual(rules(), before);
    await control.recover(guarded);
    assert.equal(rules(), before);
    // Of endpoints that are no more nothing is left
    await control.recover([]);
    assert.doesNotMatch(sh("nft list tables"), /egress/);
  });
});
