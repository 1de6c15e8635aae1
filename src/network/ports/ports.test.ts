import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import type { PublishedPort } from "../types.ts";
import { isFlexible, Ports } from "./ports.ts";
import type { PortRequest, PublishTarget } from "./types.ts";

const v4: PublishTarget = { endpointName: "web", endpointId: "e1", ipv4: true, ipv6: false };
const both: PublishTarget = { ...v4, ipv6: true };

/** -p, as words: "127.0.0.1 8080 80", "8000-8010 80", "80". */
function request(text: string): PortRequest {
  const words = text.split(" ");
  const [containerPort = 0, host] = words.toReversed();
  const range = /^(\d+)-(\d+)$/.exec(host ?? "");
  return {
    protocol: "tcp",
    containerPort: Number(containerPort),
    ...(words.length === 3 && { hostAddress: words[0] ?? "" }),
    ...(range && { hostPort: { first: Number(range[1]), last: Number(range[2]) } }),
    ...(!range && host && host !== "-" && { hostPort: Number(host) }),
  };
}

const print = ({ hostAddress, hostPort, containerPort }: PublishedPort) =>
  `${hostAddress} ${hostPort} ${containerPort}`;

function allocate(ports: Ports, target: PublishTarget, ...texts: string[]): string[] {
  return ports.allocate(texts.map(request), target).map(print);
}

function taken(what: () => unknown, reason: string): void {
  const where = "driver failed programming external connectivity on endpoint web (e1)";
  const message = `failed to set up container networking: ${where}: ${reason}`;
  assert.throws(what, (error) => {
    assert.ok(error instanceof SampanError, String(error));
    assert.deepEqual([error.kind, error.message], ["exhausted", message]);
    return true;
  });
}

const inUse = (where: string) => `Bind for ${where} failed: port is already allocated`;

test("a port without an address is published on all of both families that the container has", () => {
  assert.deepEqual(allocate(new Ports(), v4, "8080 80"), ["0.0.0.0 8080 80"]);
  assert.deepEqual(allocate(new Ports(), both, "8080 80"), ["0.0.0.0 8080 80", ":: 8080 80"]);
  assert.deepEqual(allocate(new Ports(), { ...both, ipv4: false }, "8080 80"), [":: 8080 80"]);
  assert.deepEqual(allocate(new Ports(), { ...both, ipv4: false, ipv6: false }, "8080 80"), []);
});

test("addresses: the one that was asked for, else the network's default", () => {
  assert.deepEqual(allocate(new Ports(), both, "127.0.0.1 8080 80", ":: 81 81"), ["127.0.0.1 8080 80", ":: 81 81"]);
  assert.deepEqual(allocate(new Ports(), both, "0.0.0.0 8080 80"), ["0.0.0.0 8080 80"]);
  assert.deepEqual(allocate(new Ports(), both, "0:0::1 8080 80"), ["::1 8080 80"]);
  assert.deepEqual(allocate(new Ports(), { ...both, defaultHostAddress: "127.0.0.1" }, "8080 80"), [
    "127.0.0.1 8080 80",
  ]);
  assert.deepEqual(allocate(new Ports(), { ...both, defaultHostAddress: "0.0.0.0" }, "8080 80").length, 2);
  const refused = (text: string) => assert.throws(() => allocate(new Ports(), v4, text), SampanError);
  refused(":: 8080 80");
  refused("here 8080 80");
});

test("what is taken at one address is taken at every one, and the other way round; families are apart", () => {
  const ports = new Ports();
  allocate(ports, v4, "127.0.0.1 8080 80");
  taken(() => allocate(ports, v4, "127.0.0.1 8080 81"), inUse("127.0.0.1:8080"));
  taken(() => allocate(ports, v4, "8080 80"), inUse("127.0.0.1:8080"));
  allocate(ports, v4, "127.0.0.2 8080 80");
  allocate(ports, both, ":: 8080 80");
  taken(() => allocate(ports, both, "::1 8080 80"), inUse(":::8080"));
  allocate(ports, v4, "9090 80");
  taken(() => allocate(ports, v4, "127.0.0.1 9090 80"), inUse("0.0.0.0:9090"));
  const [udp] = ports.allocate([{ protocol: "udp", containerPort: 80, hostPort: 9090 }], v4);
  assert.equal(udp?.hostPort, 9090);
});

test("all or none, and released ports are free again", () => {
  const ports = new Ports();
  allocate(ports, v4, "8081 80");
  taken(() => allocate(ports, v4, "8080 80", "8081 80"), inUse("0.0.0.0:8081"));
  const mine = ports.allocate([request("8080 80")], v4);
  taken(() => allocate(ports, v4, "8080 80"), inUse("0.0.0.0:8080"));
  ports.release(mine);
  ports.release(mine);
  allocate(ports, v4, "8080 80");
  taken(() => allocate(ports, v4, "7000 80", "7000 80"), inUse("0.0.0.0:7000"));
});

test("ports that nobody chose: one after the other, the same for both families, none that is reserved", () => {
  const ports = new Ports({ reserved: new Set([32769]) });
  assert.deepEqual(allocate(ports, both, "80", "81"), [
    "0.0.0.0 32768 80",
    ":: 32768 80",
    "0.0.0.0 32770 81",
    ":: 32770 81",
  ]);
  assert.deepEqual(allocate(ports, both, "127.0.0.1 - 80", "::1 - 80"), ["127.0.0.1 32771 80", "::1 32771 80"]);
  assert.deepEqual(allocate(ports, v4, "80", "80"), ["0.0.0.0 32772 80", "0.0.0.0 32773 80"]);
  const few = new Ports({ dynamic: { first: 5000, last: 5001 } });
  const first = few.allocate([request("80")], v4);
  allocate(few, v4, "80");
  taken(() => allocate(few, v4, "80"), "all ports are allocated");
  few.release(first);
  assert.deepEqual(allocate(few, v4, "80"), ["0.0.0.0 5000 80"]);
});

test("a range of host ports: the first free one, the next when that is somebody else's", () => {
  const ports = new Ports();
  allocate(ports, v4, "8000 80");
  const got = ports.allocate([request("8000-8002 80")], v4);
  assert.deepEqual(got.map(print), ["0.0.0.0 8001 80"]);
  ports.release(got);
  assert.deepEqual(allocate(ports, v4, "8000-8002 80"), ["0.0.0.0 8002 80"]);
  assert.deepEqual(allocate(ports, v4, "8000-8002 80"), ["0.0.0.0 8001 80"]);
  taken(() => allocate(ports, v4, "8000-8002 80"), "all ports are allocated");
  const [port] = got;
  assert.ok(port && isFlexible([request("8000-8002 80")], port) && !isFlexible([request("8001 80")], port));
});

test("what running containers have is theirs after a restart of the daemon", () => {
  const ports = new Ports();
  ports.restore([{ protocol: "tcp", containerPort: 80, hostAddress: "0.0.0.0", hostPort: 8080 }]);
  taken(() => allocate(ports, v4, "8080 80"), inUse("0.0.0.0:8080"));
});

test("when another process has a port another one is chosen in its place, and the others stay", () => {
  const ports = new Ports();
  const requests = [request("80"), request("8000-8001 80"), request("81")];
  const first = ports.allocate(requests, v4);
  const [refused] = first;
  assert.ok(refused);
  ports.undo(first);
  const second = ports.allocate(requests, v4, [refused]);
  assert.deepEqual(
    [first, second].map((all) => all.map(({ hostPort }) => hostPort)),
    [
      [32768, 8000, 32769],
      [32769, 8000, 32770],
    ],
  );
});

test("a routed family needs no port of the machine", () => {
  const ports = new Ports();
  const routed = { ...both, routed6: true };
  assert.deepEqual(allocate(ports, routed, "8080 80"), [":: 0 80", "0.0.0.0 8080 80"]);
  assert.deepEqual(allocate(ports, routed, "::1 8080 80"), [":: 0 80"]);
  ports.restore([{ protocol: "tcp", containerPort: 80, hostAddress: "::", hostPort: 0 }]);
  assert.deepEqual(allocate(ports, { ...both, routed4: true, ipv6: false }, "8080 80", "81"), [
    "0.0.0.0 0 80",
    "0.0.0.0 0 81",
  ]);
});

test("thousands of ports", () => {
  const ports = new Ports();
  const many = Array.from({ length: 20_000 }, (_, i) => request(`${10_000 + i} ${10_000 + i}`));
  const started = performance.now();
  const published = ports.allocate(many, both);
  assert.ok(performance.now() - started < 2000);
  assert.equal(published.length, 40_000);
});
