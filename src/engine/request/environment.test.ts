import assert from "node:assert/strict";
import { test } from "node:test";
import { environment, overlayVariables } from "./environment.ts";

test("Docker's own variables come first, the container's win, HOME is the user's", () => {
  assert.deepEqual(environment({ Env: ["A=1", "PATH=/x"], Tty: true }, "box", "/root"), [
    "PATH=/x",
    "HOSTNAME=box",
    "TERM=xterm",
    "A=1",
    "HOME=/root",
  ]);
});

test("a HOME somebody set stays, a default is taken away by its name", () => {
  const variables = environment({ Env: ["HOME=/h", "HOSTNAME"], Tty: false }, "box", "/root");
  assert.deepEqual(variables.slice(1), ["HOME=/h"]);
});

test("a value may hold equals signs and nothing at all", () => {
  assert.deepEqual(overlayVariables(["A=1"], ["A=b=c", "E="]), ["A=b=c", "E="]);
});

test("what links tell comes before what the container says itself", () => {
  const variables = environment({ Env: ["DB_PORT=mine"], Tty: false }, "box", "/", [
    "DB_PORT=tcp://x",
    "DB_NAME=/a/db",
  ]);
  assert.deepEqual(variables.slice(2), ["DB_PORT=mine", "DB_NAME=/a/db", "HOME=/"]);
});
