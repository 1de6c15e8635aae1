import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { encode } from "dns-packet";
import * as f from "../../src/kernel/flags.ts";
import { Program } from "../../src/kernel/program.ts";
import { Forwarder } from "../../src/network/dns/forward/forwarder.ts";
import { parseQuery, type Query } from "../../src/network/dns/query.ts";
import { createDnsServer } from "../../src/network/dns/server.ts";
import { expectSockets, openSockets } from "../../src/network/dns/sockets.ts";
import type { ContainerDns, DnsHooks, DnsServer } from "../../src/network/dns/types.ts";
import { seeded } from "../support/endurance/random.ts";
import { testExecutor } from "../support/helper.ts";
import { type Behaviour, Nameserver } from "../support/nameserver.ts";
import { Namespace } from "../support/namespace.ts";
import { eventually } from "../support/process.ts";
import { requires } from "../support/requires.ts";

const needed = requires("dig", "ip", "unshare", "nsenter");
const { executor } = testExecutor();
const directory = mkdtempSync(join(tmpdir(), "sampan-"));
const resolverFile = join(directory, "resolv.conf");
/** Where name servers of tests listen: each has an address of its own on loopback. */
const port = 20_053 + (process.pid % 20_000);

let namespace: Namespace;
let dns: DnsServer;
const servers: Nameserver[] = [];

before(async () => {
  mkdirSync(join(directory, "mount"));
  namespace = await Namespace.make("sampan-test-dns", join(directory, "mount"));
});

afterEach(async () => {
  dns.close();
  for (const server of servers.splice(0)) await server.close();
});

after(async () => {
  await namespace.close();
  rmSync(directory, { recursive: true });
});

const plain: ContainerDns = { networks: ["n1"], forward: true, servers: [], ndotsSet: false };

/** Serves the container "me", on the network "backend", with these servers as the machine's. */
async function serve(options: Partial<ContainerDns> = {}, hooks: DnsHooks = {}): Promise<void> {
  writeFileSync(resolverFile, servers.map(({ address }) => `nameserver ${address}\n`).join(""));
  dns = createDnsServer({ resolverFile, hooks, forwarding: { port, next: 300, limit: 1500 } });
  const network = { networkId: "n1", networkName: "backend" };
  dns.setEndpoint({ ...network, containerId: "me", names: ["me"], ipv4: "172.18.0.2" });
  dns.setEndpoint({ ...network, containerId: "c3", names: ["web", "app"], ipv4: "172.18.0.3", ipv6: "fd00::3" });
  dns.setEndpoint({ ...network, containerId: "c4", names: ["db", "app"], ipv4: "172.18.0.4" });
  dns.serve("me", await openSockets(executor, namespace.pid), { ...plain, ...options });
}

async function nameserver(behaviour: Behaviour = {}): Promise<Nameserver> {
  const server = await Nameserver.listen(`127.0.1.${servers.length + 1}`, port, behaviour);
  servers.push(server);
  return server;
}

/** `dig` in the container: what it says about status and flags, and the answers. */
async function dig(...args: string[]): Promise<{ status: string; flags: string; answers: string[]; text: string }> {
  const argv = ["dig", "@127.0.0.11", "+tries=1", "+time=3", "+noquestion", "+nostats", ...args];
  const text = (await namespace.run(argv)).stdout;
  const answers = text.split("\n").filter((line) => line !== "" && !line.startsWith(";"));
  const [, status = ""] = /status: (\w+)/.exec(text) ?? [];
  const [, flags = ""] = /;; flags: ([a-z ]*)/.exec(text) ?? [];
  return { status, flags, answers: answers.map((line) => line.split(/\s+/).slice(3).join(" ")), text };
}

describe("names of containers", needed, () => {
  test("addresses, both ways, over UDP and TCP", async () => {
    await serve();
    assert.deepEqual((await dig("web")).answers, ["A 172.18.0.3"]);
    assert.deepEqual((await dig("+tcp", "WEB")).answers, ["A 172.18.0.3"]);
    assert.deepEqual((await dig("web", "AAAA")).answers, ["AAAA fd00::3"]);
    assert.deepEqual((await dig("web.backend")).answers, ["A 172.18.0.3"]);
    assert.deepEqual((await dig("-x", "172.18.0.4")).answers, ["PTR db.backend."]);
    assert.deepEqual((await dig("-x", "fd00::3")).answers, ["PTR web.backend."]);
    const { status, flags } = await dig("web");
    assert.deepEqual([status, flags], ["NOERROR", "qr rd ra"]);
  });

  test("a name without an address of that kind exists nevertheless", async () => {
    await serve();
    for (const wanted of ["AAAA", "MX", "TXT", "HTTPS"]) {
      const { status, answers } = await dig("db", wanted);
      assert.deepEqual([wanted, status, answers], [wanted, "NOERROR", []]);
    }
  });

  test("all of a service, each first in turn", async () => {
    await serve();
    const first = new Set<string | undefined>();
    for (let round = 0; round < 2; round++) {
      const { answers } = await dig("app");
      assert.deepEqual(answers.toSorted(), ["A 172.18.0.3", "A 172.18.0.4"]);
      first.add(answers[0]);
    }
    assert.equal(first.size, 2);
  });

  test("more than a datagram holds comes over TCP", async () => {
    await serve();
    const network = { networkId: "n1", networkName: "backend" };
    for (let n = 0; n < 200; n++)
      dns.setEndpoint({ ...network, containerId: `many${n}`, names: ["many"], ipv4: `172.18.1.${n}` });
    assert.equal((await dig("many")).answers.length, 200, "dig asks again");
    const cut = await dig("+noedns", "+ignore", "many");
    assert.deepEqual([cut.flags, cut.answers.length], ["qr tc rd ra", 30]);
  });

  test("the C library finds them", async () => {
    await serve();
    const resolvConf = join(directory, "container.conf");
    writeFileSync(resolvConf, "nameserver 127.0.0.11\noptions ndots:0\n");
    const script = `mount --bind ${resolvConf} "$(readlink -f /etc/resolv.conf)"; exec getent ahosts "$0"`;
    const ask = (name: string) => namespace.run(["unshare", "-m", "sh", "-c", script, name]);
    assert.match((await ask("db")).stdout, /^172\.18\.0\.4 +STREAM db/);
    assert.match((await ask("web")).stdout, /fd00::3/);
    assert.equal((await ask("nobody")).status, 2);
  });

  test("what changes is known at once; other networks' names are not", async () => {
    await serve({ forward: false });
    const other = { networkId: "n2", networkName: "front", containerId: "c5", names: ["secret"], ipv4: "172.19.0.5" };
    dns.setEndpoint(other);
    assert.equal((await dig("secret")).status, "SERVFAIL");
    assert.equal((await dig("-x", "172.19.0.5")).status, "SERVFAIL");
    dns.configure("me", { ...plain, networks: ["n1", "n2"] });
    assert.deepEqual((await dig("secret")).answers, ["A 172.19.0.5"]);
    dns.removeEndpoint("n2", "c5");
    assert.deepEqual((await dig("secret")).answers, []);
  });
});

describe("names of the world", needed, () => {
  test("are asked of the machine's servers as they were asked for, and told as they answered", async () => {
    const server = await nameserver();
    await serve();
    const { status, answers, text } = await dig("+dnssec", "+bufsize=1400", "www.Example.org");
    assert.deepEqual([status, answers], ["NOERROR", ["A 192.0.2.1"]]);
    const [asked] = server.asked;
    assert.deepEqual([asked?.way, asked?.name, asked?.edns], ["udp", "www.Example.org", 1400]);
    assert.match(text, /flags: do/, "EDNS comes back as the server has it");
    assert.deepEqual((await dig("+tcp", "www.example.org")).answers, ["A 192.0.2.1"]);
    assert.equal(server.asked[1]?.way, "tcp");
  });

  test("each question has an id and a port of its own", async () => {
    const server = await nameserver();
    await serve();
    for (let n = 0; n < 8; n++) await dig(`n${n}.example.org`);
    assert.ok(new Set(server.asked.map(({ port }) => port)).size > 5);
    assert.ok(new Set(server.asked.map(({ id }) => id)).size > 5);
  });

  test("answers that nobody asked for, or that answer something else, are not taken", async () => {
    await nameserver({ forge: true });
    await serve();
    assert.deepEqual((await dig("www.example.org")).answers, ["A 192.0.2.1"]);
  });

  test("a server that is silent, fails, refuses or is not there is followed by the next", async () => {
    const silent = await nameserver({ silent: true });
    await nameserver({ rcode: 2 });
    await nameserver({ rcode: 5 });
    await nameserver();
    await (await nameserver()).close(); // its address stays in the list
    await serve({ servers: ["127.0.1.5", "127.0.1.1", "127.0.1.2", "127.0.1.3", "127.0.1.4"] });
    assert.deepEqual((await dig("www.example.org")).answers, ["A 192.0.2.1"]);
    assert.deepEqual((await dig("+tcp", "www.example.org")).answers, ["A 192.0.2.1"]);
    const before = silent.asked.length;
    await dig("www.example.org");
    assert.equal(silent.asked.length, before, "a silent one comes last for a while");
  });

  test("when nobody answers, or nobody is there to ask, that is a failure", async () => {
    await nameserver({ silent: true });
    await serve();
    assert.equal((await dig("www.example.org")).status, "SERVFAIL");
    assert.equal(servers[0]?.asked.length, 2, "a datagram that may be lost is sent twice");
    dns.configure("me", { ...plain, servers: ["127.0.9.9"] });
    assert.equal((await dig("www.example.org")).status, "SERVFAIL");
    assert.equal((await dig("+tcp", "www.example.org")).status, "SERVFAIL");
  });

  test("nobody is waited for beyond the limit", async () => {
    const silent = await nameserver({ silent: true });
    const bytes = encode({ type: "query", id: 1, questions: [{ type: "A", name: "www.example.org" }] });
    const query = parseQuery(Buffer.from(bytes)) as Query;
    const limit = 600;
    // Timers of one process end in the order of their times, however busy the machine is.
    const asked = new Forwarder({ port, next: 200, limit }).ask(query, [silent.address], "udp");
    const tooLate = pause(limit + 1, "too late");
    assert.equal(await Promise.race([asked, tooLate]), undefined);
  });

  test("a name that does not exist, and an answer that was cut, are told as they are", async () => {
    await nameserver({ rcode: 3 });
    await serve();
    assert.equal((await dig("nobody.example.org")).status, "NXDOMAIN");
    dns.close();
    servers[0]?.behave({ truncate: true });
    await serve();
    assert.match((await dig("+ignore", "big.example.org")).flags, /tc/);
    assert.deepEqual((await dig("big.example.org")).answers, ["A 192.0.2.1"], "asked again over TCP");
  });

  test("the list of servers is followed", async () => {
    await nameserver();
    await nameserver({ address: "192.0.2.2" });
    await serve();
    writeFileSync(resolverFile, "nameserver 127.0.1.1\n");
    assert.deepEqual((await dig("www.example.org")).answers, ["A 192.0.2.1"]);
    writeFileSync(resolverFile, "nameserver 127.0.1.2\n");
    assert.deepEqual((await dig("www.example.org")).answers, ["A 192.0.2.2"]);
  });

  test("are not asked for by who must not: internal networks, single words with ndots", async () => {
    const server = await nameserver();
    await serve({ forward: false });
    assert.equal((await dig("www.example.org")).status, "SERVFAIL");
    dns.configure("me", { ...plain, ndotsSet: true });
    assert.deepEqual([(await dig("word")).status, (await dig("word")).answers], ["NOERROR", []]);
    assert.equal(server.asked.length, 0);
    dns.configure("me", plain);
    assert.deepEqual((await dig("word")).answers, ["A 192.0.2.1"]);
  });
});

describe("policies", needed, () => {
  test("forbid names, and learn addresses before the asker does", async () => {
    const server = await nameserver({ alias: "edge.example.net" });
    const seen: unknown[] = [];
    await serve(
      {},
      {
        mayResolve: (id, name) => id === "me" && !name.endsWith("evil.example"),
        onAnswer: async (_, question, answers) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          if (question.name.startsWith("bad")) throw new Error("no room");
          seen.push({ question, answers });
        },
      },
    );
    assert.equal((await dig("www.evil.example")).status, "NXDOMAIN");
    assert.equal(server.asked.length, 0);
    assert.deepEqual((await dig("www.example.org")).answers, ["CNAME edge.example.net.", "A 192.0.2.1"]);
    const answers = [{ name: "edge.example.net", address: "192.0.2.1", ttl: 60 }];
    assert.deepEqual(seen, [{ question: { name: "www.example.org", type: 1 }, answers }]);
    assert.equal((await dig("bad.example.org")).status, "SERVFAIL", "not told what could not be let through");
    assert.deepEqual((await dig("web")).answers, ["A 172.18.0.3"]);
  });
});

/** How many sockets this process has open. */
function openSocketsHere(): number {
  const link = (fd: string) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return "";
    }
  };
  return readdirSync("/proc/self/fd").filter((fd) => link(fd).startsWith("socket:")).length;
}

describe("serving", needed, () => {
  test("ends with release; sockets of a daemon before do not stand in the way", async () => {
    await serve();
    const listening = () => namespace.ok("ss", "-Hlnut");
    assert.equal((await listening()).split("\n").length, 2);
    await dig("+tcp", "web");
    dns.release("me");
    await eventually("they are closed", async () => (await listening()) === "");
    assert.equal(dns.isServed("me"), false);
    dns.serve("me", await openSockets(executor, namespace.pid), plain);
    assert.deepEqual((await dig("+tcp", "web")).answers, ["A 172.18.0.3"]);
    dns.serve("me", await openSocketsOnce(), plain);
    assert.deepEqual((await dig("+tcp", "web")).answers, ["A 172.18.0.3"]);
  });

  /** As a daemon that takes over from another does. */
  async function openSocketsOnce() {
    dns.release("me");
    dns.setEndpoint({ networkId: "n1", networkName: "backend", containerId: "c3", names: ["web"], ipv4: "172.18.0.3" });
    return await openSockets(executor, namespace.pid);
  }

  test("a container that asks before it is served is answered then", async () => {
    await serve();
    dns.close();
    const sockets = await openSockets(executor, namespace.pid);
    const early = Promise.all([dig("web"), dig("+tcp", "web")]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    dns.serve("me", sockets, plain);
    for (const { answers } of await early) assert.deepEqual(answers, ["A 172.18.0.3"]);
  });

  test("sockets that nobody wants any more are closed, however far they are", async () => {
    await serve();
    dns.close();
    const listening = () => namespace.ok("ss", "-Hlnut");
    const open = (expected: ReturnType<typeof expectSockets>) => {
      const p = new Program("make sockets for names");
      const path = p.text(`/proc/${namespace.pid}/ns/net`);
      expected.steps(p, p.sys("openat", [f.AT_FDCWD, path, f.O_CLOEXEC, 0], { note: "find the network" }));
      return executor.run(p);
    };
    for (const when of ["before", "after", "later"]) {
      const expected = expectSockets(executor, `unwanted ${when}`);
      if (when === "before") expected.cancel();
      await open(expected);
      if (when === "later") await expected.sockets;
      expected.cancel();
      await eventually(`closed ${when}`, async () => (await listening()) === "");
    }
  });

  test("holds no socket after questions for elsewhere", async () => {
    await nameserver();
    await serve();
    await dig("www.example.org");
    const before = openSocketsHere();
    const script =
      "for i in 1 2 3 4 5; do dig @127.0.0.11 +short w$i.example.org & dig @127.0.0.11 +tcp +short t$i.example.org & done; wait";
    assert.equal((await namespace.ok("sh", "-c", script)).split("\n").length, 10);
    await eventually("all are closed", () => openSocketsHere() <= before);
  });

  test("a network without loopback, or a process that is gone, is said", async () => {
    await serve();
    await assert.rejects(openSockets(executor, 0x3fffff), { errno: "ENOENT" });
    await assert.rejects(openSockets(executor, namespace.pid), { errno: "EADDRINUSE" });
  });

  test("survives whatever is sent to it", async (context) => {
    await nameserver();
    await serve();
    const fuzz = join(import.meta.dirname, "../support/dns-fuzz.ts");
    await namespace.ok(process.execPath, fuzz, "3000", `${seeded(context).below(2 ** 31)}`);
    assert.deepEqual((await dig("web")).answers, ["A 172.18.0.3"]);
    assert.deepEqual((await dig("+tcp", "web")).answers, ["A 172.18.0.3"]);
  });

  test("survives a question that nobody can be answered at: from port 0", requires("python3"), async () => {
    await serve();
    const script = `import socket, struct
raw = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
question = bytes.fromhex("00070100000100000000000003776562000001" "0001")
raw.sendto(struct.pack("!HHHH", 0, 53, 8 + len(question), 0) + question, ("127.0.0.11", 0))`;
    await namespace.ok("python3", "-c", script);
    assert.deepEqual((await dig("web")).answers, ["A 172.18.0.3"]);
  });

  test("survives whatever a server answers", async (context) => {
    const server = await nameserver({ noise: seeded(context) });
    await serve({}, { onAnswer: () => {} });
    for (let round = 0; round < 3; round++)
      await namespace.ok(
        "sh",
        "-c",
        "for i in 1 2 3 4 5 6 7 8; do dig @127.0.0.11 +tries=1 +time=2 n$i.example & done >/dev/null; wait",
      );
    assert.ok(server.asked.length > 8);
    assert.deepEqual((await dig("web")).answers, ["A 172.18.0.3"]);
  });
});
