import assert from "node:assert/strict";
import { test } from "node:test";
import { type Expansion, parseDockerfile, resolveMount } from "./index.ts";

function mountOf(flag: string, variables: Readonly<Record<string, string>> = {}) {
  const { source, directives, stages } = parseDockerfile(`FROM scratch\nRUN --mount=${flag} x`, "Dockerfile");
  const run = stages[0]?.instructions[0];
  const scope: Expansion = { source, escape: directives.escape, lookup: (name) => variables[name] };
  const [mount] = run?.kind === "RUN" ? run.mounts : [];
  assert.ok(mount);
  return resolveMount(mount, scope);
}

test("mounts have Docker's defaults", () => {
  assert.deepEqual(mountOf("target=/a"), {
    type: "bind",
    target: "/a",
    source: "",
    from: undefined,
    readOnly: true,
  });
  assert.deepEqual(mountOf("type=cache,dst=/a/b/"), {
    type: "cache",
    target: "/a/b/",
    id: "/a/b",
    sharing: "shared",
    from: undefined,
    source: "",
    mode: 0o755,
    uid: 0,
    gid: 0,
    readOnly: false,
  });
  assert.deepEqual(mountOf("type=tmpfs,target=/t,size=1.5m"), {
    type: "tmpfs",
    target: "/t",
    size: 1572864,
    readOnly: false,
  });
  assert.partialDeepStrictEqual(mountOf("type=secret,id=a/b"), {
    target: "/run/secrets/b",
    mode: 0o400,
    required: false,
  });
  assert.partialDeepStrictEqual(mountOf("type=secret,target=/x/y"), { id: "y", target: "/x/y" });
  assert.partialDeepStrictEqual(mountOf("type=secret,id=a,env=A"), { target: undefined, env: "A" });
  assert.partialDeepStrictEqual(mountOf("type=secret,id=a,env=A,target=/a,required"), {
    target: "/a",
    env: "A",
    required: true,
  });
  assert.partialDeepStrictEqual(mountOf("type=ssh"), { id: "default", target: undefined, mode: 0o600 });
});

test("keys have several names, and the last of ro and rw counts", () => {
  assert.partialDeepStrictEqual(mountOf("src=/s,destination=/d,rw"), { source: "/s", target: "/d", readOnly: false });
  assert.partialDeepStrictEqual(mountOf("target=/d,rw=true,ro"), { readOnly: true });
  assert.partialDeepStrictEqual(mountOf("type=tmpfs,target=/d,readonly"), { readOnly: true });
  assert.partialDeepStrictEqual(mountOf("TYPE=Cache,target=/d,readonly=1,sharing=LOCKED"), {
    readOnly: true,
    sharing: "locked",
  });
});

test("variables are expanded in values", () => {
  const mount = mountOf("type=cache,target=$D,id=$N-x,uid=$U", { D: "/d", N: "n", U: "7" });
  assert.partialDeepStrictEqual(mount, { target: "/d", id: "n-x", uid: 7 });
  assert.throws(() => mountOf("type=cache,target=/d,uid=$U", { U: "root" }), /invalid value root for uid/);
});
