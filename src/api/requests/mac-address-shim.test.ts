import assert from "node:assert/strict";
import { test } from "node:test";
import { versionNumber } from "../http/versions.ts";
import { moveMacAddress } from "./mac-address-shim.ts";

const [old, now] = [versionNumber("1.43"), versionNumber("1.51")];
const mac = "02:42:ac:11:00:99";
const request = (mode: string, MacAddress: string, endpoints?: Record<string, object | null>) => ({
  config: { MacAddress },
  hostConfig: { NetworkMode: mode },
  endpoints,
});

test("the container's address becomes that of the network it joins", () => {
  for (const version of [old, now]) {
    const { config, endpoints } = moveMacAddress(request("mine", mac), version);
    assert.equal(config.MacAddress, "");
    assert.deepEqual(endpoints, { mine: { MacAddress: mac } });
  }
  assert.deepEqual(moveMacAddress(request("mine", mac, { other: null }), old).endpoints, {
    other: { MacAddress: mac },
  });
  assert.match(moveMacAddress(request("mine", mac), now).warnings?.[0] ?? "", /^The container-wide MacAddress field/);
  assert.equal(moveMacAddress(request("mine", mac), old).warnings, undefined);
});

test("what is not clear, or contradicts itself, is refused", () => {
  assert.throws(() => moveMacAddress(request("mine", mac, { other: {} }), now), {
    message: /^if a container-wide setting/,
  });
  const twice = { mine: { MacAddress: "02:42:ac:11:00:01" } };
  assert.throws(() => moveMacAddress(request("mine", mac, twice), now), {
    message: /^the container-wide MAC address must/,
  });
  assert.throws(() => moveMacAddress(request("host", mac), old), {
    message: "conflicting options: mac-address and the network mode",
  });
});

test("old versions knew no addresses of endpoints", () => {
  const { endpoints } = moveMacAddress(request("mine", "", { mine: { MacAddress: mac } }), old);
  assert.deepEqual(endpoints, { mine: { MacAddress: "" } });
  const kept = request("mine", "", { mine: { MacAddress: mac } });
  assert.equal(moveMacAddress(kept, now), kept);
});
