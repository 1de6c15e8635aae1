import assert from "node:assert/strict";
import { test } from "node:test";
import { readPacket } from "./packet.ts";

const ipv4 = (o: { protocol: number; fragment?: number; words?: number }, transport: number[]) =>
  Uint8Array.from([
    ...[0x40 | (o.words ?? 5), 0, 0, 0, 0, 0, 0, o.fragment ?? 0, 64, o.protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2],
    ...new Array(((o.words ?? 5) - 5) * 4).fill(0xff),
    ...transport,
  ]);
const ports = [0x30, 0x39, 0x01, 0xbb];
const ends = { source: "10.0.0.1", destination: "10.0.0.2" };

test("addresses, protocol and ports of IPv4", () => {
  const withPorts = { ...ends, protocol: 6, sourcePort: 12_345, destinationPort: 443 };
  assert.deepEqual(readPacket(ipv4({ protocol: 6 }, ports)), withPorts);
  assert.deepEqual(readPacket(ipv4({ protocol: 6, words: 7 }, ports)), withPorts);
  assert.deepEqual(readPacket(ipv4({ protocol: 1 }, [8, 0, 0, 0])), { ...ends, protocol: 1 });
  assert.deepEqual(readPacket(ipv4({ protocol: 17, fragment: 9 }, ports)), { ...ends, protocol: 17 });
  assert.deepEqual(readPacket(ipv4({ protocol: 17 }, [1, 2])), { ...ends, protocol: 17 });
});

test("the transport of IPv6 is behind its extension headers", () => {
  const addresses = [...new Array(15).fill(0), 1, ...new Array(15).fill(0), 2];
  const header = (next: number) => [0x60, 0, 0, 0, 0, 0, next, 64, ...addresses];
  const expected = { source: "::1", destination: "::2", protocol: 17, sourcePort: 12_345, destinationPort: 443 };
  assert.deepEqual(readPacket(Uint8Array.from([...header(17), ...ports])), expected);
  const hopByHop = [60, 0, 0, 0, 0, 0, 0, 0];
  const options = [17, 1, ...new Array(14).fill(0)];
  assert.deepEqual(readPacket(Uint8Array.from([...header(0), ...hopByHop, ...options, ...ports])), expected);
});

test("what is no IP, or cut short, is nothing", () => {
  for (const bytes of [[], [0x45], new Array(20).fill(0x60), new Array(64).fill(0), new Array(64).fill(0xff)])
    assert.equal(readPacket(Uint8Array.from(bytes)), undefined);
});
