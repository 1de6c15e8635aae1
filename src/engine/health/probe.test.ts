import assert from "node:assert/strict";
import { test } from "node:test";
import { goDuration } from "./look.ts";
import { mergeHealthcheck, probeOf, validateHealthcheck } from "./probe.ts";

const second = 1_000_000_000;

test("what is probed, with dockerd's defaults", () => {
  assert.deepEqual(probeOf({ Healthcheck: { Test: ["CMD", "check", "-v"], Interval: 2 * second } }), {
    check: { kind: "command", command: ["check", "-v"] },
    interval: 2000,
    startInterval: 5000,
    startPeriod: 0,
    timeout: 30_000,
    retries: 3,
  });
  const shell = probeOf({ Healthcheck: { Test: ["CMD-SHELL", "curl x || exit 1"] } });
  assert.deepEqual(shell?.check, { kind: "command", command: ["/bin/sh", "-c", "curl x || exit 1"] });
  const own = probeOf({ Healthcheck: { Test: ["CMD-SHELL", "x"] }, Shell: ["/bin/bash", "-lc"] });
  assert.deepEqual(own?.check, { kind: "command", command: ["/bin/bash", "-lc", "x"] });
});

test("nothing is probed without a command", () => {
  for (const Healthcheck of [
    undefined,
    {},
    { Test: [] },
    { Test: ["NONE"] },
    { Test: ["CMD"] },
    { Test: ["FOO", "x"] },
    { Interval: second },
  ]) {
    assert.equal(probeOf({ Healthcheck }), undefined);
  }
});

test("probes of our own, as an exec form and as a shell's text", () => {
  const check = (...Test: string[]) => probeOf({ Healthcheck: { Test } })?.check;
  const local = ["127.0.0.1", "::1"];
  assert.deepEqual(check("CMD", "sampan:tcp", "5432"), { kind: "tcp", addresses: local, port: 5432 });
  assert.deepEqual(check("CMD-SHELL", "sampan:tcp [::1]:80"), { kind: "tcp", addresses: ["::1"], port: 80 });
  const mapped = { kind: "tcp", addresses: ["::ffff:c000:201"], port: 80 };
  assert.deepEqual(check("CMD", "sampan:tcp", "::ffff:192.0.2.1:80"), mapped);
  assert.deepEqual(check("CMD", "sampan:file", "/run/ready"), { kind: "file", path: "/run/ready" });
  assert.deepEqual(check("CMD-SHELL", "sampan:http http://localhost:8080/health?x=1"), {
    kind: "http",
    addresses: local,
    port: 8080,
    request: [
      "GET /health?x=1 HTTP/1.1",
      "Host: localhost:8080",
      "User-Agent: sampan",
      "Accept: */*",
      "Connection: close\r\n\r\n",
    ].join("\r\n"),
  });
});

test("probes of our own that make no sense", () => {
  const refusals: readonly (readonly [string, RegExp])[] = [
    ["sampan:ping x", /there are sampan:http, sampan:tcp, sampan:file/],
    ["sampan:tcp", /takes one argument/],
    ["sampan:tcp 0", /takes \[HOST:\]PORT/],
    ["sampan:tcp example.com:80", /localhost or an address/],
    ["sampan:tcp [fe80::1%eth0]:80", /localhost or an address/],
    ["sampan:http https://localhost/", /https/],
    ["sampan:file run", /begins with \//],
  ];
  for (const [text, message] of refusals) {
    assert.throws(() => validateHealthcheck({ Healthcheck: { Test: ["CMD-SHELL", text] } }), {
      kind: "invalid",
      message,
    });
  }
});

test("what becomes of a container that is unhealthy", () => {
  const Test = ["CMD", "x"];
  const Labels = { "sampan.health-on-failure": "kill" };
  assert.equal(probeOf({ Healthcheck: { Test } })?.onFailure, undefined);
  assert.equal(probeOf({ Healthcheck: { Test }, Labels })?.onFailure, "kill");
  assert.equal(probeOf({ Healthcheck: { Test, OnFailure: "restart" }, Labels })?.onFailure, "restart");
  assert.equal(probeOf({ Healthcheck: { Test, OnFailure: "none" }, Labels })?.onFailure, undefined);
  assert.throws(() => validateHealthcheck({ Healthcheck: { Test, OnFailure: "reboot" } }), /'reboot': use one of none/);
});

test("the request wins over the image where it says something", () => {
  const image = { Test: ["CMD", "a"], Interval: 5 * second, Retries: 7 };
  assert.deepEqual(mergeHealthcheck({ Interval: second, Retries: 0 }, image), { ...image, Interval: second });
  assert.deepEqual(mergeHealthcheck({ Test: ["CMD", "b"] }, image), { ...image, Test: ["CMD", "b"] });
  assert.deepEqual(mergeHealthcheck({ Test: ["NONE"] }, image), { Test: ["NONE"] });
  assert.equal(mergeHealthcheck(undefined, image), image);
  assert.equal(mergeHealthcheck(undefined, undefined), undefined);
});

test("times and counts that cannot be", () => {
  validateHealthcheck({ Healthcheck: { Interval: 0, Timeout: second } });
  assert.throws(() => validateHealthcheck({ Healthcheck: { Interval: 5 } }), {
    message: "Interval in Healthcheck cannot be less than 1ms",
  });
  assert.throws(() => validateHealthcheck({ Healthcheck: { Retries: -1 } }), {
    message: "Retries in Healthcheck cannot be negative",
  });
});

test("durations as Go prints them", () => {
  const texts = [300, 1000, 1500, 60_000, 90_000, 3_600_000, 3_661_500].map(goDuration);
  assert.deepEqual(texts, ["300ms", "1s", "1.5s", "1m0s", "1m30s", "1h0m0s", "1h1m1.5s"]);
});
