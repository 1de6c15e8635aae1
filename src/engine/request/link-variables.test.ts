import assert from "node:assert/strict";
import { test } from "node:test";
import { parseContainerPort } from "../networks/ports.ts";
import { linkVariables } from "./link-variables.ts";

function variables(ports: readonly string[], env: readonly string[] = []): string[] {
  return linkVariables({
    asker: "app",
    alias: "my-db.x",
    address: "172.17.0.2",
    ports: ports.map(parseContainerPort),
    env,
  });
}

test("a port, its address, and the first of all", () => {
  assert.deepEqual(variables(["82/udp", "5432"]), [
    "MY_DB.X_PORT=tcp://172.17.0.2:5432",
    "MY_DB.X_PORT_5432_TCP=tcp://172.17.0.2:5432",
    "MY_DB.X_PORT_5432_TCP_ADDR=172.17.0.2",
    "MY_DB.X_PORT_5432_TCP_PORT=5432",
    "MY_DB.X_PORT_5432_TCP_PROTO=tcp",
    "MY_DB.X_PORT_82_UDP=udp://172.17.0.2:82",
    "MY_DB.X_PORT_82_UDP_ADDR=172.17.0.2",
    "MY_DB.X_PORT_82_UDP_PORT=82",
    "MY_DB.X_PORT_82_UDP_PROTO=udp",
    "MY_DB.X_NAME=/app/my-db.x",
  ]);
});

test("ports in a row have a start and an end, for each protocol", () => {
  const rows = variables(["81", "80", "9000", "9001", "9002", "9001/udp", "10/sctp", "443"]);
  const ends = rows.filter((variable) => /_(START|END)=/.test(variable));
  assert.deepEqual(ends, [
    "MY_DB.X_PORT_80_TCP_START=tcp://172.17.0.2:80",
    "MY_DB.X_PORT_80_TCP_PORT_START=80",
    "MY_DB.X_PORT_80_TCP_END=tcp://172.17.0.2:81",
    "MY_DB.X_PORT_80_TCP_PORT_END=81",
    "MY_DB.X_PORT_9000_TCP_START=tcp://172.17.0.2:9000",
    "MY_DB.X_PORT_9000_TCP_PORT_START=9000",
    "MY_DB.X_PORT_9000_TCP_END=tcp://172.17.0.2:9002",
    "MY_DB.X_PORT_9000_TCP_PORT_END=9002",
  ]);
});

test("without ports only the name and what the container was given, but for HOME and PATH", () => {
  const env = ["HOME=/x", "PATH=/bin", "TOKEN=a=b", "EMPTY=", "HOSTNAME=h", "gone"];
  const own = ["MY_DB.X_ENV_TOKEN=a=b", "MY_DB.X_ENV_EMPTY=", "MY_DB.X_ENV_HOSTNAME=h"];
  assert.deepEqual(variables([], env), ["MY_DB.X_NAME=/app/my-db.x", ...own]);
});

test("where there is no TCP, the protocol whose name comes first has the port of all", () => {
  assert.equal(variables(["1/udp", "70/sctp", "53/sctp"])[0], "MY_DB.X_PORT=sctp://172.17.0.2:53");
});
