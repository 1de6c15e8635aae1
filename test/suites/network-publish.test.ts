import assert from "node:assert/strict";
import { afterEach, suite, test } from "node:test";
import { portError } from "../../src/network/host/reservations.ts";
import { cable, connection, kernelWorld, network, ports, sh } from "../support/network-host.ts";
import { inOwnNetwork } from "../support/own-network.ts";

const { machine: here } = cable;

inOwnNetwork(import.meta.url, () => {
  const world = kernelWorld();
  const one = network("one", 1);
  const two = network("two", 2);
  const inner = network("inner", 3, { internal: true });

  afterEach(() => world.bridgeFilter(0));

  for (const filter of [0, 1] as const) {
    suite(`with bridge-nf-call-iptables=${filter}`, () => {
      test("a published port is reached from everywhere but internal networks", async () => {
        world.bridgeFilter(filter);
        const [web, friend, stranger, hidden] = [
          await world.start("web", [connection("web", one, 10)], ports("8080:80/tcp", "8080:80/udp")),
          await world.start("friend", [connection("friend", one, 11)]),
          await world.start("stranger", [connection("stranger", two, 10)]),
          await world.start("hidden", [connection("hidden", inner, 10)]),
        ];
        await web.serve(80);
        const targets = ["tcp", "udp"].flatMap((kind) => [`${kind}:${here.v4}:8080`, `${kind}:${here.v6}:8080`]);
        const [v4, v6] = [(from: string) => `web ${from}`, (from: string) => `web ${from}`];
        const seen = (four: string, six: string) => [v4(four), v6(six), v4(four), v6(six)];
        assert.deepEqual(Object.values(await world.outside.ask(...targets)), seen(cable.outside.v4, cable.outside.v6));
        assert.deepEqual(Object.values(await world.ask(...targets)), seen(here.v4, here.v6));
        for (const container of [web, friend, stranger]) {
          assert.deepEqual(
            Object.values(await container.ask(...targets)),
            seen("10.81.1.1", "fd00:81:1::1"),
            container.name,
          );
        }
        const own = ["tcp:127.0.0.1:8080", "udp:127.0.0.1:8080", "tcp:10.81.1.1:8080", "tcp:10.81.2.1:8080"];
        assert.deepEqual(
          Object.values(await world.ask(...own)),
          ["10.81.1.1", "10.81.1.1", "10.81.1.1", "10.81.2.1"].map(v4),
        );
        const refused = ["tcp:10.81.3.1:8080", "tcp:[fd00:81:3::1]:8080"].map((text) => text.replace(/[[\]]/g, ""));
        assert.deepEqual(Object.values(await hidden.ask(...refused)), ["timeout", "timeout"]);
        for (const container of [web, friend, stranger, hidden]) await world.end(container);
      });

      test("[::1] is answered where the kernel can lead it, and refused where it cannot", async () => {
        world.bridgeFilter(filter);
        await world.host.recover([one], []);
        const web = await world.start("web", [connection("web", one, 10)], ports("8080:80/tcp"));
        await web.serve(80);
        const expected = filter === 0 ? "web fd00:81:1::1" : "refused";
        assert.deepEqual(await world.ask("tcp:::1:8080"), { "tcp:::1:8080": expected });
        await world.end(web);
      });
    });
  }

  test("a port published at 127.0.0.1 is the machine's alone", async () => {
    const web = await world.start("web", [connection("web", one, 10)], ports("127.0.0.1:8080:80/tcp"));
    await web.serve(80);
    assert.deepEqual(await world.ask("tcp:127.0.0.1:8080"), { "tcp:127.0.0.1:8080": "web 10.81.1.1" });
    assert.deepEqual(await world.outside.ask(`tcp:${here.v4}:8080`), { [`tcp:${here.v4}:8080`]: "refused" });
    await world.end(web);
  });

  test("containers do not get to the machine's loopback addresses", async () => {
    const guest = await world.start("guest", [connection("guest", one, 10)]);
    guest.sh(
      "sysctl -qw net.ipv4.conf.all.route_localnet=1; ip addr del 127.0.0.1/8 dev lo; ip route add 127.0.0.0/8 via 10.81.1.1",
    );
    const server = await world.outside.background("serve", "unused", "1");
    const local = await import("node:net").then(({ createServer }) => createServer((socket) => socket.end("secret")));
    await new Promise<void>((resolve) => local.listen(4999, "127.0.0.1", resolve));
    assert.deepEqual(await guest.ask("tcp:127.0.0.1:4999"), { "tcp:127.0.0.1:4999": "timeout" });
    local.close();
    server.kill();
    await world.end(guest);
  });

  test("a range is one element, other ports are theirs", async () => {
    const texts = Array.from({ length: 1000 }, (_, i) => `${20000 + i}:${20000 + i}/tcp`);
    const web = await world.start("web", [connection("web", one, 10)], ports(...texts, "9000:80/tcp"));
    await web.serve(80, 20000, 20999);
    assert.match(world.elements("range_everywhere4"), /elements = \{ tcp \. 20000-20999 : 10\.81\.1\.10 \}/);
    const targets = [20000, 20999, 21000, 9000].map((port) => `tcp:${here.v4}:${port}`);
    const answers = Object.values(await world.outside.ask(...targets));
    assert.deepEqual(answers, [
      `web ${cable.outside.v4}`,
      `web ${cable.outside.v4}`,
      "refused",
      `web ${cable.outside.v4}`,
    ]);
    await world.end(web);
    assert.doesNotMatch(world.elements("range_everywhere4"), /elements/);
    assert.doesNotMatch(world.elements("everywhere4"), /elements/);
  });

  test("a port that is in use fails the start with dockerd's words, and nothing stays", async () => {
    const { createServer } = await import("node:net");
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(8080, "0.0.0.0", resolve));
    const start = world.start("web", [connection("web", one, 10)], ports("0.0.0.0:8080:80/tcp"));
    const error = await start.then(
      () => undefined,
      (cause: unknown) => portError(cause),
    );
    assert.equal(error?.message, "Bind for 0.0.0.0:8080 failed: port is already allocated");
    assert.doesNotMatch(world.elements("everywhere4"), /elements/);
    server.close();
    const absent = await world
      .start("web", [connection("web", one, 10)], ports("192.0.2.77:8080:80/tcp"))
      .catch(portError);
    assert.match(String(absent), /192\.0\.2\.77:8080\/tcp: cannot assign requested address/);
  });

  test("a published port is taken for the machine's own programs", async () => {
    const web = await world.start("web", [connection("web", one, 10)], ports("8080:80/tcp", "8080:80/udp"));
    const { createServer } = await import("node:net");
    const { createSocket } = await import("node:dgram");
    const tcp = createServer();
    const failure = (event: (resolve: (error: Error) => void) => void) => new Promise<Error>(event);
    const refused = await failure((resolve) => tcp.once("error", resolve).listen(8080, "0.0.0.0"));
    assert.match(refused.message, /EADDRINUSE/);
    const udp = createSocket("udp4");
    assert.match((await failure((resolve) => udp.once("error", resolve).bind(8080))).message, /EADDRINUSE/);
    udp.close();
    await world.end(web);
    await new Promise<void>((resolve) => tcp.listen(8080, "0.0.0.0", resolve));
    tcp.close();
  });

  test("UDP clients that were sending before, and go on after, find the container of now", async () => {
    const target = `udp:${here.v4}:8053`;
    const script = `import socket,sys
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("",7777)); s.settimeout(0.5)
s.sendto(b"x",("${here.v4}",8053))
try: print(s.recv(99).decode().strip())
except OSError as e: print("nothing")`;
    const client = () => world.outside.sh(`python3 -c '${script.replaceAll("'", '"')}'`);
    assert.equal(client(), "nothing");
    for (const [name, host] of [
      ["first", 10],
      ["second", 20],
    ] as const) {
      const server = await world.start(name, [connection(name, one, host)], ports("8053:53/udp"));
      await server.serve(53);
      assert.equal(client(), `${name} ${cable.outside.v4}`, target);
      await world.end(server);
      assert.equal(client(), "nothing");
    }
  });

  test("nothing is left when all is removed", async () => {
    await world.host.close({ remove: true });
    assert.deepEqual(world.left(), []);
    assert.equal(sh("sysctl -n net.ipv4.ip_forward"), "0");
  });
});
