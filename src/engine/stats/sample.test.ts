import assert from "node:assert/strict";
import { test } from "node:test";
import { parseLinks, parseMachineCpu } from "./sample.ts";

test("the links of a network, without loopback", () => {
  const text = [
    "Inter-|   Receive                                                |  Transmit",
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed",
    "    lo:     100       1    0    0    0     0          0         0      100       1    0    0    0     0       0          0",
    "  eth0:1234567890      12    1    2    0     0          0         0      800       9    3    4    0     0       0          0",
    "",
  ].join("\n");
  assert.deepEqual(parseLinks(text), {
    eth0: {
      rxBytes: 1_234_567_890,
      rxPackets: 12,
      rxErrors: 1,
      rxDropped: 2,
      txBytes: 800,
      txPackets: 9,
      txErrors: 3,
      txDropped: 4,
    },
  });
});

test("the machine's processors: seven kinds of time, in nanoseconds", () => {
  const text = "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1 1 1 1 1 1 1 1\ncpu1 0 0 0 0 0 0 0 0 0 0\nintr 5\n";
  assert.deepEqual(parseMachineCpu(text), { total: 28 * 10_000_000, online: 2 });
});
