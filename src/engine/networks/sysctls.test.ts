import assert from "node:assert/strict";
import { test } from "node:test";
import { normaliseHostConfig } from "../request/normalise.ts";
import { normaliseSettings } from "./settings.ts";
import { moveInterfaceSysctls } from "./sysctls.ts";

const option = "com.docker.network.endpoint.sysctls";

test("settings of the first interface are its endpoint's, the others stay", () => {
  const Sysctls = {
    "net.ipv4.conf.eth0.forwarding": "1",
    "net.ipv6.conf.eth0.accept_ra": "2",
    "net.core.somaxconn": "9",
  };
  const host = normaliseHostConfig({ NetworkMode: "mine", Sysctls });
  const { host: left, endpoints } = moveInterfaceSysctls(host, {
    other: normaliseSettings(undefined),
    mine: normaliseSettings({ DriverOpts: { [option]: "net.ipv4.conf.IFNAME.log_martians=1" } }),
  });
  assert.deepEqual(left.Sysctls, { "net.core.somaxconn": "9" });
  assert.equal(
    endpoints.mine?.DriverOpts?.[option],
    "net.ipv4.conf.IFNAME.log_martians=1,net.ipv4.conf.IFNAME.forwarding=1,net.ipv6.conf.IFNAME.accept_ra=2",
  );
  assert.equal(endpoints.other?.DriverOpts, null);
});

test("without any, nothing changes", () => {
  const host = normaliseHostConfig({ NetworkMode: "bridge", Sysctls: { "net.core.somaxconn": "9" } });
  const endpoints = { bridge: normaliseSettings(undefined) };
  assert.deepEqual(moveInterfaceSysctls(host, endpoints), { host, endpoints });
});
