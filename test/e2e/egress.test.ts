import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { SampanMachine } from "../support/machine-sampan.ts";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image, uplink } from "../support/uplink.ts";

const net = world();
const { machine } = net;

/** Where names lead; all of it is the host outside. */
const at = {
  api: { v4: "192.0.2.10", v6: "2001:db8:1::10" },
  wild: "192.0.2.11",
  long: "192.0.2.12",
  denied: "192.0.2.13",
} as const;

const zone = {
  "api.allowed.test": { cname: "edge.cdn.test", ttl: 30 },
  "edge.cdn.test": { a: [at.api.v4], aaaa: [at.api.v6], ttl: 300 },
  "a.wild.test": { a: [at.wild] },
  "wild.test": { a: [at.denied] },
  "long.test": { a: [at.long], ttl: 86_400 },
  "denied.test": { a: [at.denied] },
  "rebound.wild.test": { a: ["169.254.169.254", "127.0.0.1"] },
};

const policy = ["--egress", "allow=api.allowed.test:7000,*.wild.test", "--egress", "allow=long.test"];

/** `sampan ARGS…`: docker's command line does not know the flags. */
async function sampan(...args: string[]): Promise<string> {
  assert.ok(machine instanceof SampanMachine);
  return await machine.box.ok(...args);
}

async function refused(why: RegExp, ...args: string[]): Promise<void> {
  assert.ok(machine instanceof SampanMachine);
  const { status, stderr } = await machine.box.run(args);
  assert.match(stderr, why, args.join(" "));
  assert.notEqual(status, 0);
}

async function serve(name: string, ...options: string[]): Promise<void> {
  await sampan("run", "-d", "--name", name, ...options, image, "probe", "serve", name, "7000");
  await net.serves(name);
}

async function noneReached(who: string, ...targets: string[]): Promise<void> {
  const answers = await net.ask(who, targets, 700);
  assert.deepEqual(answers, Object.fromEntries(targets.map((target) => [target, "timeout"])));
}

async function lookup(who: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await net.docker(["exec", who, "timeout", "3", "nslookup", ...args]);
  return stdout + stderr;
}

interface Entry {
  readonly Destination: string;
  readonly Port: number;
  readonly Protocol: string;
  readonly Name: string;
  readonly Source: string;
}

async function log(name: string): Promise<Entry[]> {
  const text = await sampan("egress", "log", "--format", "json", name);
  return text
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);
}

const told = (name: string, wanted: Partial<Entry>) =>
  eventually(`${name}'s log has ${JSON.stringify(wanted)}`, async () =>
    (await log(name)).some((entry) =>
      Object.entries(wanted).every(([key, value]) => entry[key as keyof Entry] === value),
    ),
  );

const egressTables = async () =>
  (await machine.namespace.ok("nft", "list", "tables")).split("\n").filter((line) => line.includes("egress"));

suite("egress policies", requires("docker", "ip", "nft", "cc", "busybox"), () => {
  before(async () => {
    const { outside, namespace, directory } = machine;
    for (const address of [at.api.v4, at.wild, at.long, at.denied])
      await outside.ok("ip", "addr", "add", `${address}/24`, "dev", "uplink");
    await outside.ok("ip", "addr", "add", `${at.api.v6}/64`, "dev", "uplink", "nodad");
    const program = join(import.meta.dirname, "../support/zone.ts");
    await namespace.background(process.execPath, program, uplink.machine.v4, JSON.stringify(zone));
    writeFileSync(join(directory, "resolv.conf"), `nameserver ${uplink.machine.v4}\n`);
    await net.ok("network", "create", "--ipv6", "--subnet", "10.84.0.0/24", "--subnet", "fd00:84::/64", "front");
    await serve("boxed", "--network", "front", "--cap-add", "NET_ADMIN", "--cap-add", "NET_RAW", ...policy);
    await serve("peer", "--network", "front");
  });

  test("allowed names are reached, by the ports that are allowed, at the end of their CNAMEs", async () => {
    const reached = [
      "tcp:api.allowed.test:7000",
      "udp:api.allowed.test:7000",
      "tcp:a.wild.test:7000",
      "icmp:long.test",
    ];
    for (const [target, answer] of Object.entries(await net.ask("boxed", reached)))
      assert.match(answer, /^(outside |reply$)/, target);
    assert.match((await net.answer("boxed", `tcp:${at.api.v6}:7000`)) ?? "", /^outside/);
    await noneReached("boxed", `icmp:${at.api.v4}`, `tcp:${at.api.v4}:53`);
    await told("boxed", { Destination: at.api.v4, Port: 53, Protocol: "tcp", Name: "api.allowed.test" });
  });

  test("other names do not exist", async () => {
    for (const name of ["denied.test", "wild.test", "edge.cdn.test", "x.api.allowed.test"])
      assert.match(await lookup("boxed", name), /NXDOMAIN|can't find/, name);
    await told("boxed", { Name: "denied.test", Protocol: "dns", Destination: "" });
  });

  test("a name does not lead where names may not lead", async () => {
    assert.match(await lookup("boxed", "rebound.wild.test"), /169\.254\.169\.254/);
    await noneReached("boxed", "tcp:169.254.169.254:80");
    const rules = await machine.namespace.ok("nft", "list", "ruleset");
    assert.doesNotMatch(rules, /169\.254\.169\.254/);
  });

  test("long times to live are cut, for the container, too", async () => {
    assert.match(await lookup("boxed", "-debug", "long.test"), new RegExp(at.long.replaceAll(".", "\\.")));
    assert.match(await machine.namespace.ok("nft", "list", "ruleset"), /192\.0\.2\.12 timeout 1h1m/);
  });

  test("raw addresses, other name servers by UDP and TCP, IPv6, the machine, other networks: nothing", async () => {
    await net.ok("network", "create", "--subnet", "10.85.0.0/24", "back");
    await serve("far", "--network", "back", "-p", "8080:7000");
    const { machine: here, outside: there } = uplink;
    await noneReached(
      "boxed",
      `tcp:${at.denied}:7000`,
      `udp:${at.denied}:7000`,
      `icmp:${at.denied}`,
      `tcp:${there.v6}:7000`,
      `icmp:${there.v6}`,
      `tcp:${there.v4}:53`,
      `tcp:${here.v4}:53`,
      `tcp:${here.v4}:7000`,
      "tcp:10.84.0.1:7000",
      "icmp:10.84.0.1",
      "icmp:fd00:84::1",
      "tcp:10.85.0.1:7000",
      `tcp:${here.v4}:8080`,
      `tcp:${await net.address("far", "back")}:7000`,
    );
    for (const server of [there.v4, here.v4, "10.84.0.1"])
      assert.doesNotMatch(await lookup("boxed", "denied.test", server), new RegExp(at.denied.replaceAll(".", "\\.")));
    await told("boxed", { Destination: at.denied, Port: 7000, Protocol: "udp" });
    await told("boxed", { Destination: there.v6, Protocol: "icmpv6" });
    await told("boxed", { Destination: here.v4, Port: 53, Protocol: "udp" });
    await net.ok("rm", "-f", "far");
    await net.ok("network", "rm", "back");
  });

  test("the network's own containers are no outside, and it is reached as ever", async () => {
    assert.match((await net.answer("boxed", "tcp:peer:7000")) ?? "", /^peer /);
    assert.match((await net.answer("peer", "tcp:boxed:7000")) ?? "", /^boxed /);
    assert.match((await net.answer("machine", `tcp:${await net.address("boxed", "front")}:7000`)) ?? "", /^boxed /);
    assert.match((await net.answer("peer", `tcp:${at.denied}:7000`)) ?? "", /^outside /);
  });

  test("CAP_NET_ADMIN and privileges do not help", async () => {
    const own = await net.address("boxed", "front");
    const peer = await net.address("peer", "front");
    await net.sh("boxed", `ip addr add 10.84.0.77/24 dev eth0; ip route replace default via 10.84.0.1 src 10.84.0.77`);
    await noneReached("boxed", `tcp:${at.denied}:7000`, `tcp:${at.wild}:7000`);
    await told("boxed", { Source: "10.84.0.77" });
    await net.sh("boxed", `ip route replace default via ${peer} src ${own}`);
    await net.ok("exec", "--privileged", "peer", "sh", "-c", "echo 1 >/proc/sys/net/ipv4/ip_forward || true");
    await noneReached("boxed", `tcp:${at.denied}:7000`);
    await net.sh("boxed", `ip route replace default via 10.84.0.1; ip addr del 10.84.0.77/24 dev eth0`);
    await serve("mighty", "--privileged", "--egress", "deny");
    await noneReached("mighty", `tcp:${at.denied}:7000`, `tcp:${uplink.machine.v4}:7000`);
    await net.ok("rm", "-f", "mighty");
  });

  test("inspect, events and the log tell", async () => {
    const [container] = JSON.parse(await sampan("inspect", "boxed"));
    assert.deepEqual(container.HostConfig.Egress, { Allow: ["api.allowed.test:7000", "*.wild.test", "long.test"] });
    await noneReached("boxed", `tcp:${at.denied}:7123`);
    await told("boxed", { Destination: at.denied, Port: 7123 });
    const now = String(Math.floor(Date.now() / 1000) + 1);
    const events = await net.ok(
      "events",
      "--since",
      "0",
      "--until",
      now,
      "--filter",
      "event=egress",
      "--format",
      "{{json .}}",
    );
    const found = events.split("\n").map((line) => JSON.parse(line));
    const event = found.find(({ Actor }) => Actor.Attributes.port === "7123");
    assert.equal(event.Type, "network");
    assert.equal(event.Actor.ID, await net.ok("network", "inspect", "-f", "{{.Id}}", "front"));
    const { container: id, destination, protocol } = event.Actor.Attributes;
    assert.deepEqual([id, destination, protocol], [container.Id, at.denied, "tcp"]);
    assert.match(await sampan("egress", "log", "boxed"), /^TIME +PROTOCOL +DESTINATION +PORT +NAME +NETWORK\n/);
    await refused(/No such container: nobody/, "egress", "log", "nobody");
  });

  test("the log is followed", async () => {
    assert.ok(machine instanceof SampanMachine);
    const [file = "", ...argv] = [...machine.box.enter, join(import.meta.dirname, "../../bin/sampan")];
    const child = spawn(file, [...argv, "egress", "log", "-f", "--format", "{{.Destination}} {{.Port}}", "boxed"], {
      env: machine.box.env,
      cwd: machine.directory,
    });
    let said = "";
    child.stdout.on("data", (bytes: Buffer) => {
      said += bytes;
    });
    await eventually("it tells what was", () => said.includes(`${at.denied} 7123\n`));
    await noneReached("boxed", `tcp:${at.denied}:7124`);
    await eventually("it tells what comes", () => said.includes(`${at.denied} 7124\n`));
    child.kill();
  });

  test("the default network's containers have a name server for it", async () => {
    await serve("plain", "--egress", "allow=a.wild.test");
    assert.match(await net.sh("plain", "cat /etc/resolv.conf"), /^nameserver 127\.0\.0\.11$/m);
    assert.match((await net.answer("plain", "tcp:a.wild.test:7000")) ?? "", /^outside/);
    await noneReached("plain", `tcp:${at.denied}:7000`);
    await net.ok("rm", "-f", "plain");
  });

  test("a network's policy holds for its containers, whose own can only narrow it", async () => {
    await sampan(
      "network",
      "create",
      "--subnet",
      "10.86.0.0/24",
      "--egress",
      "allow=*.wild.test,192.0.2.12/31",
      "closed",
    );
    const [network] = JSON.parse(await sampan("network", "inspect", "closed"));
    assert.deepEqual(network.Egress, { Allow: ["*.wild.test", "192.0.2.12/31"] });
    await serve("inner", "--network", "closed");
    await serve("narrow", "--network", "closed", "--egress", "allow=192.0.2.12", "--egress", "allow=api.allowed.test");
    assert.match((await net.answer("inner", `tcp:a.wild.test:7000`)) ?? "", /^outside/);
    assert.match((await net.answer("inner", `tcp:${at.denied}:7000`)) ?? "", /^outside/);
    assert.match((await net.answer("narrow", `tcp:${at.long}:7000`)) ?? "", /^outside/);
    await noneReached("narrow", `tcp:${at.denied}:7000`, `tcp:${at.wild}:7000`, `tcp:${at.api.v4}:7000`);
    assert.match(await lookup("narrow", "api.allowed.test"), /NXDOMAIN|can't find/);
    // Joined and left while it runs
    await net.ok("network", "connect", "closed", "peer");
    await net.ok("network", "disconnect", "front", "peer");
    await noneReached("peer", `tcp:${at.api.v4}:7000`);
    await net.ok("network", "connect", "front", "peer");
    await net.ok("network", "disconnect", "closed", "peer");
    assert.match((await net.answer("peer", `tcp:${at.api.v4}:7000`)) ?? "", /^outside/);
    await net.ok("network", "connect", "front", "narrow");
    await net.ok("network", "disconnect", "closed", "narrow");
    await noneReached("narrow", `tcp:${at.denied}:7000`);
    await net.ok("rm", "-f", "inner", "narrow");
    await net.ok("network", "rm", "closed");
  });

  test("what cannot be enforced is refused", async () => {
    const run = ["run", "--rm", "--egress", "deny"];
    await refused(/machine's own network/, ...run, "--network", "host", image, "true");
    await refused(/another container's network/, ...run, "--network", "container:boxed", image, "true");
    await refused(/past the machine's rules/, "network", "create", "-d", "macvlan", "--egress", "deny", "lan");
    await net.ok("network", "create", "-d", "macvlan", "--subnet", "10.87.0.0/24", "-o", "parent=eth0", "lan");
    await refused(/past the machine's rules/, ...run, "--network", "lan", image, "true");
    await refused(/past the machine's rules/, "network", "connect", "lan", "boxed");
    await net.ok("network", "rm", "lan");
    await refused(/invalid egress destination/, "run", "--egress", "allow=300.1.1.1", image, "true");
    await refused(/invalid egress policy/, "run", "--egress", "maybe", image, "true");
    await sampan(...run, "--network", "none", image, "true");
  });

  test("killed and started again, the daemon changes nothing", async () => {
    assert.match((await net.answer("boxed", "tcp:api.allowed.test:7000")) ?? "", /^outside/);
    await machine.kill();
    const pid = (await machine.namespace.ok("sh", "-c", "pgrep -f '^probe serve boxed' | head -1")).trim();
    const inside = (...targets: string[]) =>
      machine.namespace.ok("nsenter", `--net=/proc/${pid}/ns/net`, machine.probe, "ask", "700", ...targets);
    assert.match(await inside(`tcp:${at.api.v4}:7000`), /= outside/);
    assert.match(await inside(`tcp:${at.denied}:7000`), /= timeout/);
    await machine.start();
    await noneReached("boxed", `tcp:${at.denied}:7200`);
    assert.match((await net.answer("boxed", "tcp:api.allowed.test:7000")) ?? "", /^outside/);
    assert.match((await net.answer("boxed", "tcp:long.test:7000")) ?? "", /^outside/);
    const again = async () => {
      await noneReached("boxed", `tcp:${at.denied}:7201`);
      return (await log("boxed")).some(({ Port }) => Port === 7201);
    };
    await eventually("it is told again", again, 15_000);
  });

  test("without containers that have one nothing is left", async () => {
    assert.equal((await egressTables()).length, 2);
    await net.ok("restart", "-t", "0", "boxed");
    await net.serves("boxed");
    await noneReached("boxed", `tcp:${at.denied}:7000`);
    assert.match((await net.answer("boxed", "tcp:a.wild.test:7000")) ?? "", /^outside/);
    await net.ok("rm", "-f", "boxed");
    assert.deepEqual(await egressTables(), []);
  });
});
