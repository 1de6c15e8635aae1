import assert from "node:assert/strict";
import { test } from "node:test";
import { parseExpose, parsePublish } from "./ports.ts";

/** `port < address:hostPort` of everything that is published. */
function published(text: string): string[] {
  return parsePublish(text).map(({ port, binding }) => `${port} < ${binding.HostIp}:${binding.HostPort}`);
}

const accepted: readonly (readonly [text: string, ...published: string[]])[] = [
  ["80", "80/tcp < :"],
  [":80", "80/tcp < :"],
  ["8080:80", "80/tcp < :8080"],
  ["0:80", "80/tcp < :0"],
  ["8080:80/udp", "80/udp < :8080"],
  ["80/SCTP", "80/sctp < :"],
  ["127.0.0.1:8080:80", "80/tcp < 127.0.0.1:8080"],
  ["127.0.0.1::80", "80/tcp < 127.0.0.1:"],
  ["[::1]:8080:80", "80/tcp < ::1:8080"],
  ["::1:8080:80", "80/tcp < ::1:8080"],
  ["[::]::80", "80/tcp < :::"],
  ["80-81", "80/tcp < :", "81/tcp < :"],
  ["8000-8001:80-81", "80/tcp < :8000", "81/tcp < :8001"],
  ["8000-8010:80", "80/tcp < :8000-8010"],
  ["127.0.0.1:8000-8001:80-81/udp", "80/udp < 127.0.0.1:8000", "81/udp < 127.0.0.1:8001"],
  ["target=80", "80/tcp < :"],
  ["published=8080,target=80,protocol=udp,mode=host", "80/udp < :8080"],
  ["target=80,published=8000-8005", "80/tcp < :8000-8005"],
];

for (const [text, ...expected] of accepted) {
  test(`-p ${text}`, () => assert.deepEqual(published(text), expected));
}

const refused: readonly (readonly [text: string, message: RegExp])[] = [
  ["", /no port specified: <empty>/],
  ["8080:", /no port specified: 8080:<empty>/],
  ["/tcp", /no port specified/],
  ["foo", /invalid containerPort: foo/],
  ["99999", /invalid containerPort: 99999/],
  ["99999:80", /invalid hostPort: 99999/],
  ["-1:80", /invalid hostPort: -1/],
  ["9000-8000:80", /invalid hostPort: 9000-8000/],
  ["8000-8001:80-82", /invalid ranges specified for container and host Ports: 80-82 and 8000-8001/],
  ["80/foo", /invalid proto: foo/],
  ["80/tcp/udp", /invalid proto: tcp\/udp/],
  ["localhost:8080:80", /invalid IP address: localhost/],
  ["1:2:3:4:5", /invalid IP address: 1:2:3/],
  ["[fe80::1%eth0]:8080:80", /invalid IP address/],
  ["published=8080", /no port specified/],
  ["target=80,speed=high", /invalid field speed=high/],
  ["target=80,mode=proxy", /invalid field mode=proxy/],
];

for (const [text, message] of refused) {
  test(`-p ${JSON.stringify(text)} is refused`, () => assert.throws(() => parsePublish(text), message));
}

test("--expose takes a port or a range, and no mapping", () => {
  assert.deepEqual(parseExpose("80"), ["80/tcp"]);
  assert.deepEqual(parseExpose("8000-8002/UDP"), ["8000/udp", "8001/udp", "8002/udp"]);
  for (const [text, message] of [
    ["80:80", /invalid port format for --expose: 80:80/],
    ["", /empty string specified for ports/],
    ["foo", /parsing "foo": invalid syntax/],
    ["70000", /parsing "70000": value out of range/],
    ["90-80", /invalid range specified for port: 90-80/],
    ["0", /invalid range/],
    ["80/foo", /invalid proto: foo/],
  ] as const) {
    assert.throws(() => parseExpose(text), message, text);
  }
});
