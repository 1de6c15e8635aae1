import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image, uplink } from "../support/uplink.ts";

const net = world();
const { machine, outside } = uplink;
const subnets = ["--subnet", "10.82.0.0/24", "--ipv6", "--subnet", "fd00:82::/64"];
const gateway = { v4: "10.82.0.1", v6: "fd00:82::1" };

/** The targets at which somebody else than `name` answers, or nobody. */
async function not(name: string, who: string, ...targets: string[]): Promise<string[]> {
  const answers = await net.ask(who, targets, 3000);
  const wrong = targets.filter((target) => !new RegExp(`^${name} [0-9a-f.:]+$`).test(answers[target] ?? ""));
  return wrong.map((target) => `${who} → ${target}: ${answers[target]}`);
}

/** Who answers at a target: the name of the container, or undefined. */
async function at(who: string, ...targets: string[]): Promise<(string | undefined)[]> {
  const answers = await net.ask(who, targets, 500);
  return targets.map((target) => /^(\S+) [0-9a-f.:]+$/.exec(answers[target] ?? "")?.[1]);
}

suite("published ports", requires("docker", "ip", "nft", "cc", "curl"), () => {
  before(async () => {
    await net.ok("network", "create", ...subnets, "dual");
    await net.ok("network", "create", "--subnet", "10.83.0.0/24", "other");
    await net.serve("neighbour", ["--network", "dual"]);
    await net.serve("stranger", ["--network", "other"]);
  });

  test("a port of all addresses: from the machine, outside and other containers, both families", async () => {
    await net.serve("web", ["--network", "dual", "-p", "8080:7000", "-p", "8080:7000/udp"]);
    const everywhere = [machine.v4, machine.v6, gateway.v4, gateway.v6].flatMap((to) => [
      `tcp:${to}:8080`,
      `udp:${to}:8080`,
    ]);
    const local = ["tcp:127.0.0.1:8080", "tcp:127.7.7.7:8080"];
    assert.deepEqual(await not("web", "machine", ...everywhere, ...local), []);
    const uplinks = everywhere.slice(0, 4);
    assert.deepEqual(await not("web", "outside", ...uplinks), []);
    for (const who of ["neighbour", "web"]) {
      assert.deepEqual(await not("web", who, ...everywhere), []);
    }
    assert.deepEqual(await at("stranger", `tcp:${machine.v4}:8080`, "tcp:10.82.0.1:8080"), ["web", "web"]);
    // who asks is who the container sees
    assert.equal(await net.answer("outside", `tcp:${machine.v4}:8080`), `web ${outside.v4}`);
    assert.equal(await net.answer("outside", `udp:${machine.v6}:8080`), `web ${outside.v6}`);
    assert.equal(await net.answer("machine", "tcp:127.0.0.1:8080"), `web ${gateway.v4}`);
    // docker 20.10 writes [::]: as :::
    const listed = (await net.ok("port", "web")).replaceAll("-> :::", "-> [::]:").split("\n");
    assert.deepEqual(listed.toSorted(), [
      "7000/tcp -> 0.0.0.0:8080",
      "7000/tcp -> [::]:8080",
      "7000/udp -> 0.0.0.0:8080",
      "7000/udp -> [::]:8080",
    ]);
    assert.match(await net.ok("ps", "--filter", "name=web", "--format", "{{.Ports}}"), /0\.0\.0\.0:8080->7000\/tcp/);
  });

  test("a port in use is an error before anything starts", async () => {
    const busy = /Bind for (0\.0\.0\.0|127\.0\.0\.1):8080 failed: port is already allocated/;
    for (const port of ["8080:7000", "127.0.0.1:8080:7000"]) {
      await net.fails(busy, "run", "--name", "late", "--network", "dual", "-p", port, image, "true");
      assert.equal(await net.inspect("late", "{{.State.Status}} {{.State.Pid}}"), "created 0");
      await net.ok("rm", "late");
    }
    await net.machine.namespace.background(net.machine.probe, "serve", "host", "9000");
    const taken = /0\.0\.0\.0:9000.* (port is already allocated|address already in use)/;
    await net.fails(taken, "run", "--name", "late", "-p", "9000:7000", image, "true");
    assert.equal(await net.inspect("late", "{{.State.Pid}}"), "0");
    await net.ok("rm", "late");
    assert.deepEqual(await at("machine", "tcp:127.0.0.1:9000", "tcp:127.0.0.1:8080"), ["host", "web"]);
  });

  test("a port is free when its container has ended, and taken again when it starts", async () => {
    await net.ok("stop", "web");
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8080`, `udp:${machine.v4}:8080`), [undefined, undefined]);
    await net.serve("next", ["--network", "other", "-p", "8080:7000"]);
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8080`), ["next"]);
    await net.fails(/port is already allocated/, "start", "web");
    await net.ok("rm", "-f", "next");
    await net.ok("start", "web");
    await eventually("web is back", async () => (await at("outside", `tcp:${machine.v4}:8080`))[0] === "web");
    assert.deepEqual(await at("outside", `udp:${machine.v4}:8080`), ["web"]);
    await net.ok("rm", "-f", "web");
  });

  test("an address keeps a port to itself", async () => {
    await net.serve("lo", ["--network", "dual", "-p", "127.0.0.1:8081:7000", "-p", "[::1]:8081:7000"]);
    await net.serve("up", ["--network", "other", "-p", `${machine.v4}:8081:7000`]);
    assert.deepEqual(await at("machine", "tcp:127.0.0.1:8081", `tcp:${machine.v4}:8081`, "tcp:127.0.0.2:8081"), [
      "lo",
      "up",
      undefined,
    ]);
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8081`, `tcp:${machine.v6}:8081`), ["up", undefined]);
    assert.equal(await net.ok("port", "up", "7000"), `${machine.v4}:8081`);
    await net.ok("rm", "-f", "lo", "up");
  });

  const proxied = net.machine.engine === "dockerd" ? { skip: "dockerd has a process for that" } : {};
  test("an IPv6 address of the machine does not lead to a container without IPv6", proxied, async () => {
    const why = /Cannot publish 7000\/tcp on ::1: the container has no IPv6 address, give its network IPv6 \(--ipv6\)/;
    await net.fails(why, "run", "--rm", "--network", "other", "-p", "[::1]:8083:7000", image, "true");
    await net.serve("four", ["--network", "other", "-p", "8083:7000"]);
    assert.equal(await net.ok("port", "four"), "7000/tcp -> 0.0.0.0:8083");
    assert.match((await net.answer("machine", "tcp:::1:8083")) ?? "", /refused/);
    await net.ok("rm", "-f", "four");
  });

  test("nobody outside gets at 127.0.0.1 of the machine by a route", async () => {
    await net.serve("lo", ["--network", "dual", "-p", "127.0.0.1:8082:7000"]);
    await net.machine.outside.ok("sysctl", "-qw", "net.ipv4.conf.all.route_localnet=1");
    await net.machine.outside.ok("ip", "route", "add", "127.9.9.9/32", "via", machine.v4);
    assert.deepEqual(await at("outside", "tcp:127.9.9.9:8082"), [undefined]);
    await net.ok("rm", "-f", "lo");
  });

  test("ranges, and the first that is free in a range", async () => {
    const ports = [7000, 7001, 7002, 7011, 7012];
    await net.serve(
      "range",
      ["--network", "dual", "-p", "8090-8092:7000-7002", "-p", "7010-7012:7010-7012/udp"],
      ports,
    );
    const tcp = [8090, 8091, 8092].map((port) => `tcp:${machine.v4}:${port}`);
    const udp = [7011, 7012].map((port) => `udp:${machine.v6}:${port}`);
    assert.deepEqual(await not("range", "outside", ...tcp, ...udp), []);
    assert.equal(await net.ok("port", "range", "7011/udp").then(firstLine), "0.0.0.0:7011");
    await net.serve("free", ["--network", "other", "-p", "8091-8095:7000"]);
    assert.equal(firstLine(await net.ok("port", "free", "7000")), "0.0.0.0:8093");
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8093`), ["free"]);
    await net.ok("rm", "-f", "range", "free");
  });

  test("random ports: -p PORT, and -P for all that are exposed", async () => {
    await net.serve("random", ["--network", "dual", "-p", "7000", "-p", "127.0.0.1::7001"], [7000, 7001]);
    const [seven, one] = [await net.ok("port", "random", "7000"), await net.ok("port", "random", "7001")];
    const port = /^0\.0\.0\.0:(\d+)$/m.exec(seven)?.[1] ?? "none";
    assert.ok(Number(port) >= 1024, seven);
    assert.match(one, /^127\.0\.0\.1:\d+$/);
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:${port}`), ["random"]);
    assert.deepEqual(await at("machine", `tcp:${one}`), ["random"]);
    await net.serve("exposed", ["-P", "--expose", "7000", "--expose", "7005-7006/udp"], [7000, 7005]);
    const published = (await net.ok("port", "exposed")).split("\n").filter((line) => line.includes("0.0.0.0"));
    assert.deepEqual(published.map((line) => line.split(" ")[0]).toSorted(), ["7000/tcp", "7005/udp", "7006/udp"]);
    const udp = /7005\/udp -> 0\.0\.0\.0:(\d+)/.exec(published.join("\n"))?.[1];
    assert.deepEqual(await at("outside", `udp:${machine.v4}:${udp}`), ["exposed"]);
    await net.ok("rm", "-f", "random", "exposed");
  });

  test("curl gets pages: from the machine, outside, another container", async () => {
    const script = "mkdir /www; echo it works >/www/index.html; exec httpd -f -p 80 -h /www";
    await net.ok("run", "-d", "--name", "page", "--network", "other", "-p", "8095:80", image, "sh", "-c", script);
    const curl = (url: string) => ["curl", "-sS", "--max-time", "5", "--retry", "3", "--retry-connrefused", url];
    for (const url of ["http://127.0.0.1:8095/", "http://localhost:8095/", `http://${machine.v4}:8095/`]) {
      assert.equal(await net.machine.namespace.ok(...curl(url)), "it works", url);
    }
    assert.equal(await net.machine.outside.ok(...curl(`http://${machine.v4}:8095/`)), "it works");
    if (net.machine.engine === "sampan") {
      const box = ["run", "--rm", "--network", "other", "sampan/host"];
      assert.equal(await net.ok(...box, ...curl("http://page/")), "it works");
      assert.equal(await net.ok(...box, ...curl(`http://${machine.v4}:8095/`)), "it works");
    }
    await net.ok("rm", "-f", "page");
  });

  test("what a running container gets when its network with the ports is taken away and given back", async () => {
    await net.serve("moved", ["--network", "dual", "-p", "8096:7000"]);
    await net.ok("network", "disconnect", "dual", "moved");
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8096`), [undefined]);
    await net.ok("network", "connect", "other", "moved");
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8096`), ["moved"]);
    await net.ok("rm", "-f", "moved");
  });

  test("ports are published when a container that runs joins its first network with a way out", async () => {
    await net.ok("network", "create", "--internal", "inner");
    await net.serve("late", ["--network", "inner", "-p", "8098:7000", "-p", "7000"]);
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8098`), [undefined]);
    await net.ok("network", "connect", "other", "late");
    const everywhere = ["tcp:127.0.0.1:8098", `tcp:${machine.v4}:8098`];
    assert.deepEqual(await at("machine", ...everywhere), ["late", "late"]);
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8098`), ["late"]);
    assert.match(await net.ok("port", "late", "7000"), /^0\.0\.0\.0:8098$/m);
    const taken = /8098 failed: port is already allocated/;
    await net.fails(taken, "run", "--rm", "-p", "8098:7000", image, "true");
    const thief = () => net.machine.namespace.ok(net.machine.probe, "serve", "thief", "8098");
    await assert.rejects(thief, "nobody else gets it");
    if (net.machine.engine === "sampan") {
      await net.machine.crash();
      assert.deepEqual(await at("machine", ...everywhere), ["late", "late"]);
      await assert.rejects(thief, "nor after the daemon's death");
    }
    await net.ok("restart", "-t", "0", "late");
    await net.serves("late");
    assert.deepEqual(await at("machine", ...everywhere), ["late", "late"]);
    await net.ok("rm", "-f", "late");
    await net.serve("next", ["-p", "8098:7000"]);
    await net.ok("rm", "-f", "next");
    await net.ok("network", "rm", "inner");
  });

  test("a port that is taken by then lets the container where it is", async () => {
    await net.ok("network", "create", "--internal", "inner");
    await net.serve("owner", ["-p", "8099:7000"]);
    await net.serve("late", ["--network", "inner", "-p", "8099:7000"]);
    await net.fails(/8099 failed: port is already allocated/, "network", "connect", "other", "late");
    await net.ok("rm", "-f", "owner");
    if (net.machine.engine === "sampan") {
      // dockerd leaves the link that it had made, so that the container cannot be connected again
      await net.ok("network", "connect", "other", "late");
      assert.deepEqual(await at("outside", `tcp:${machine.v4}:8099`), ["late"]);
    }
    await net.ok("rm", "-f", "late");
    await net.ok("network", "rm", "inner");
  });

  test("a network's default address for ports", async () => {
    const option = "com.docker.network.bridge.host_binding_ipv4=127.0.0.1";
    await net.ok("network", "create", "-o", option, "private");
    await net.serve("shy", ["--network", "private", "-p", "8097:7000"]);
    assert.equal(firstLine(await net.ok("port", "shy", "7000")), "127.0.0.1:8097");
    assert.deepEqual(await at("outside", `tcp:${machine.v4}:8097`), [undefined]);
    assert.deepEqual(await at("machine", "tcp:127.0.0.1:8097"), ["shy"]);
    await net.ok("rm", "-f", "shy");
    await net.ok("network", "rm", "private");
  });

  const thousand = net.machine.engine === "dockerd" ? { skip: "would be 2,000 processes" } : {};
  test("a thousand ports are one range, there and gone at once", thousand, async () => {
    const ports = [20_000, 20_500, 20_999];
    await net.serve("many", ["--network", "dual", "-p", "20000-20999:20000-20999"], ports);
    const targets = ports.map((port) => `tcp:${machine.v4}:${port}`);
    assert.deepEqual(await at("outside", ...targets), ["many", "many", "many"]);
    await net.fails(/20500 failed: port is already allocated/, "run", "--rm", "-p", "20500:7000", image, "true");
    await net.ok("rm", "-f", "many");
    assert.deepEqual(await at("outside", ...targets), [undefined, undefined, undefined]);
  });
});

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
