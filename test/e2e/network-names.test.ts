import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, suite, test } from "node:test";
import { world } from "../support/netns.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";
import { image, uplink, upstreamAnswer } from "../support/uplink.ts";

const net = world();
const sampanOnly = net.machine.engine === "sampan" ? {} : { skip: "not dockerd's" };

/** The addresses that a container gets for a name, sorted; none when it does not exist. */
async function lookup(who: string, name: string, type = ""): Promise<string[]> {
  const kind = type === "" ? "" : `-type=${type}`;
  const { stdout } = await net.docker(["exec", who, "nslookup", kind, name].filter((word) => word !== ""));
  const answer = stdout.split("\n").slice(2).join("\n");
  return [...new Set([...answer.matchAll(/^Address:\s*(\S+)$/gm)].map(([, address]) => address ?? ""))].toSorted();
}

async function ptr(who: string, address: string): Promise<string> {
  const { stdout } = await net.docker(["exec", who, "nslookup", address]);
  return /name = (\S+)/.exec(stdout)?.[1] ?? stdout;
}

function serve(name: string, ...options: string[]): Promise<void> {
  return net.serve(name, options);
}

suite("names", requires("docker", "ip", "nft", "cc", "busybox"), () => {
  before(async () => {
    await net.ok("network", "create", "--subnet", "10.84.0.0/24", "--ipv6", "--subnet", "fd00:84::/64", "front");
    await net.ok("network", "create", "--subnet", "10.85.0.0/24", "back");
    await serve("web", "--network", "front", "--network-alias", "www", "--ip", "10.84.0.10", "--ip6", "fd00:84::10");
    await serve("db", "--network", "back", "--ip", "10.85.0.11", "--hostname", "database");
    await net.ok("network", "connect", "--alias", "store", "--ip", "10.84.0.12", "front", "db");
  });

  test("name, alias, short id and the network's own name for it, in both families", async () => {
    const id = (await net.inspect("web", "{{.Id}}")).slice(0, 12);
    for (const name of ["web", "www", id, "web.front", "WEB"]) {
      assert.deepEqual(await lookup("db", name), ["10.84.0.10", "fd00:84::10"], name);
    }
    assert.deepEqual(await lookup("web", "db"), ["10.84.0.12", ...(await six("db"))].filter(Boolean).toSorted());
    assert.match((await net.answer("web", "tcp:store:7000")) ?? "", /^db (10\.84\.0\.10|fd00:84::10)$/);
  });

  async function six(container: string): Promise<string[]> {
    return [await net.address(container, "front", "v6")];
  }

  test("a name is heard only on the networks that both are on", async () => {
    await serve("lone", "--network", "back");
    assert.deepEqual(await lookup("lone", "db"), ["10.85.0.11"]);
    assert.deepEqual(await lookup("lone", "store"), [upstreamAnswer], "an alias on another network");
    assert.deepEqual(await lookup("lone", "web"), [upstreamAnswer]);
    await net.ok("rm", "-f", "lone");
  });

  test("PTR", async () => {
    assert.match(await ptr("db", "10.84.0.10"), /^web\.front\.?$/);
    assert.match(await ptr("web", "10.84.0.12"), /^db\.front\.?$/);
  });

  test("an alias of several is all of them, in turn", async () => {
    for (const name of ["r1", "r2", "r3"]) await serve(name, "--network", "back", "--network-alias", "ring");
    const addresses = await Promise.all(["r1", "r2", "r3"].map((name) => net.address(name, "back")));
    assert.deepEqual(await lookup("db", "ring"), addresses.toSorted());
    const firsts = new Set<string>();
    const once = async () => {
      const out = await net.sh("db", "nslookup -type=a ring");
      firsts.add(/^Address:\s*(\S+)$/m.exec(out.split("\n").slice(2).join("\n"))?.[1] ?? "");
      return firsts.size > 1;
    };
    await eventually("not always the same is first", once);
    await net.ok("stop", "-t", "1", "r1");
    assert.ok(!(await lookup("db", "ring")).includes(addresses[0] ?? ""), "who has ended is not named");
    await net.ok("rm", "-f", "r1", "r2", "r3");
    assert.deepEqual(await lookup("db", "r2"), [upstreamAnswer]);
  });

  test("other names are asked of the machine's servers", async () => {
    assert.deepEqual(await lookup("web", "example.test", "a"), [upstreamAnswer]);
    assert.match(await net.sh("web", "cat /etc/resolv.conf"), /^nameserver 127\.0\.0\.11$/m);
  });

  test("the default network has the machine's servers and no names", async () => {
    await serve("plain");
    const { stdout } = await net.docker(["exec", "plain", "cat", "/etc/resolv.conf"]);
    assert.match(stdout, new RegExp(`^nameserver ${uplink.outside.v4}$`, "m"));
    await serve("plain2");
    assert.deepEqual(await lookup("plain", "plain2"), [upstreamAnswer]);
    await net.ok("rm", "-f", "plain", "plain2");
  });

  test("the machine's new name server is asked from now on", sampanOnly, async () => {
    const { outside } = net.machine;
    // without it an address takes the later ones of its range along
    await outside.ok("sh", "-c", "echo 1 >/proc/sys/net/ipv4/conf/uplink/promote_secondaries");
    await outside.ok("ip", "addr", "add", "192.0.2.66/24", "dev", "uplink");
    await outside.ok("ip", "addr", "del", `${uplink.outside.v4}/24`, "dev", "uplink");
    try {
      writeFileSync(join(net.machine.directory, "resolv.conf"), "nameserver 192.0.2.66\n");
      const asked = async () => (await lookup("web", "other.test", "a"))[0] === upstreamAnswer;
      await eventually("the new server answers", asked);
    } finally {
      await outside.ok("ip", "addr", "add", `${uplink.outside.v4}/24`, "dev", "uplink");
      await outside.ok("ip", "addr", "del", "192.0.2.66/24", "dev", "uplink");
      writeFileSync(join(net.machine.directory, "resolv.conf"), `nameserver ${uplink.outside.v4}\n`);
    }
  });

  test("--dns, --dns-search, --dns-option, --add-host", async () => {
    const dns = ["--dns", uplink.outside.v4, "--dns-search", "corp.test", "--dns-option", "ndots:3"];
    const hosts = ["--add-host", "known:192.0.2.55", "--add-host", "up:host-gateway"];
    await serve("custom", "--network", "front", ...dns, ...hosts);
    const resolv = await net.sh("custom", "cat /etc/resolv.conf");
    for (const line of [/^nameserver 127\.0\.0\.11$/m, /^search corp\.test$/m, /^options .*ndots:3/m]) {
      assert.match(resolv, line);
    }
    const file = await net.sh("custom", "cat /etc/hosts");
    assert.match(file, /^192\.0\.2\.55\s+known$/m);
    assert.match(file, /^172\.17\.0\.1\s+up$/m, "the default bridge's, whatever network it has");
    assert.deepEqual(await lookup("custom", "anything.test", "a"), [upstreamAnswer]);
    assert.equal(await net.answer("custom", "tcp:up:7000").then((said) => said?.split(" ")[0]), "host");
    await net.ok("rm", "-f", "custom");
    await serve("direct", ...dns);
    const plain = await net.sh("direct", "cat /etc/resolv.conf");
    assert.match(plain, new RegExp(`^nameserver ${uplink.outside.v4}$`, "m"));
    assert.match(plain, /^search corp\.test$/m);
    await net.ok("rm", "-f", "direct");
  });

  test("/etc/hosts has the container's own names and follows connect and disconnect", async () => {
    const own = async () =>
      (await net.sh("db", "grep database /etc/hosts")).split("\n").map((line) => line.split(/\s+/)[0]);
    assert.ok((await own()).includes("10.85.0.11"));
    assert.ok((await own()).includes("10.84.0.12"));
    await net.ok("network", "disconnect", "front", "db");
    assert.deepEqual(await own(), ["10.85.0.11"]);
    await net.ok("network", "connect", "--ip", "10.84.0.12", "front", "db");
    await eventually("it is named again", async () => (await own()).includes("10.84.0.12"));
    assert.equal(await net.answer("db", "tcp:database:7000").then((said) => said?.split(" ")[0]), "db");
  });

  test("--link: on the default network in /etc/hosts, on others a name of one's own", async () => {
    await serve("target");
    await serve("source", "--link", "target:mark");
    const address = await net.address("target", "bridge");
    assert.match(
      await net.sh("source", "cat /etc/hosts"),
      new RegExp(`^${address.replaceAll(".", "\\.")}\\s+mark `, "m"),
    );
    assert.equal(await net.answer("source", "tcp:mark:7000").then((said) => said?.split(" ")[0]), "target");
    await serve("linked", "--network", "back", "--link", "db:oracle");
    assert.deepEqual(await lookup("linked", "oracle"), ["10.85.0.11"]);
    assert.deepEqual(await lookup("db", "oracle"), [upstreamAnswer], "nobody else's");
    await net.ok("rm", "-f", "source", "target", "linked");
  });

  test("an internal network has names but no way out, not even for names", async () => {
    await net.ok("network", "create", "--internal", "vault");
    for (const name of ["v1", "v2"]) await serve(name, "--network", "vault");
    assert.deepEqual(await lookup("v1", "v2"), [await net.address("v2", "vault")]);
    assert.deepEqual(await lookup("v1", "example.test"), []);
    await net.ok("rm", "-f", "v1", "v2");
    await net.ok("network", "rm", "vault");
  });

  test("a container that has just ended is asked for in vain, one that has just started is there at once", async () => {
    await serve("brief", "--network", "front");
    assert.equal((await lookup("web", "brief", "a")).length, 1);
    await net.ok("rm", "-f", "brief");
    assert.deepEqual(await lookup("web", "brief", "a"), [upstreamAnswer]);
    const said = await net.ok("run", "--rm", "--network", "front", image, "probe", "ask", "3000", "tcp:web:7000");
    assert.match(said, /= web 10\.84\.0\.\d+|= web fd00:84::/);
  });
});
