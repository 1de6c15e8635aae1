import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf, messageOf } from "../../errors/index.ts";
import { parseBind } from "./bind-text.ts";
import { parseMountRequest } from "./mount-request.ts";
import { resolveMounts } from "./resolve.ts";
import { parseTmpfs } from "./tmpfs-options.ts";

const fresh = () => "fresh";

function failure(action: () => unknown): string {
  try {
    action();
    return "none";
  } catch (error) {
    return `${kindOf(error)}: ${messageOf(error)}`;
  }
}

test("-v of a path of the machine", () => {
  assert.deepEqual(parseBind("/srv/../etc/:/x/:ro,rshared", fresh), {
    type: "bind",
    source: "/etc",
    destination: "/x",
    readOnly: true,
    mode: "ro,rshared",
    recursive: true,
    propagation: "rshared",
    createSource: true,
  });
});

test("-v of a volume, and of nothing", () => {
  const named = parseBind("data:/x:nocopy", fresh);
  assert.ok(named.type === "volume" && named.name === "data" && !named.anonymous && !named.copy);
  const anonymous = parseBind("/x", fresh);
  assert.ok(anonymous.type === "volume" && anonymous.name === "fresh" && anonymous.anonymous);
});

const bad: readonly (readonly [string, RegExp])[] = [
  ["/a:/b:rx", /^invalid: invalid mode: rx/],
  ["/a:/b:ro,rw", /^invalid: invalid mode/],
  ["/a:/b:", /^invalid: invalid mode/],
  ["/a:b", /mount path must be absolute/],
  ["/a:/", /destination can't be '\/'/],
  ["a/b:/x", /includes invalid characters for a local volume name/],
  ["/a:/b:ro:z", /^invalid: invalid volume specification/],
  [":/b", /^invalid: invalid volume specification/],
  ["data:/x:rshared", /^invalid: invalid mode/],
];
for (const [text, pattern] of bad) {
  test(`-v ${text} is refused`, () =>
    assert.match(
      failure(() => parseBind(text, fresh)),
      pattern,
    ));
}

test("--mount of a source that is not there is an error, as in dockerd", () => {
  const request = { Type: "bind", Source: "/not/here", Target: "/x" };
  assert.equal(
    failure(() => parseMountRequest(request, fresh)),
    `invalid: invalid mount config for type "bind": bind source path does not exist: /not/here`,
  );
  const creating = parseMountRequest({ ...request, BindOptions: { CreateMountpoint: true } }, fresh);
  assert.ok(creating.type === "bind" && creating.createSource);
});

test("what is mounted below a read-only mount is read-only, too, unless somebody says otherwise", () => {
  const of = (BindOptions: object) =>
    parseMountRequest({ Type: "bind", Source: "/", Target: "/x", ReadOnly: true, BindOptions }, fresh);
  assert.equal("writableBelow" in of({}), false);
  assert.equal("writableBelow" in of({ ReadOnlyForceRecursive: true }), false);
  assert.equal((of({ ReadOnlyNonRecursive: true }) as { writableBelow?: true }).writableBelow, true);
  assert.match(
    failure(() => of({ ReadOnlyNonRecursive: true, ReadOnlyForceRecursive: true })),
    /^invalid: mount options conflict/,
  );
  for (const option of ["ReadOnlyNonRecursive", "ReadOnlyForceRecursive"]) {
    const writable = { Type: "bind", Source: "/", Target: "/x", BindOptions: { [option]: true } };
    assert.equal(
      failure(() => parseMountRequest(writable, fresh)),
      `invalid: mount options conflict: !ReadOnly && BindOptions.${option}`,
    );
  }
});

test("--mount of memory", () => {
  const mount = parseMountRequest(
    { Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 1024, Mode: 0o700 } },
    fresh,
  );
  assert.deepEqual(mount.type === "tmpfs" && mount.options, {
    mode: 0o700,
    exec: false,
    suid: false,
    dev: false,
    size: 1024,
  });
});

test("--tmpfs options", () => {
  assert.deepEqual(parseTmpfs("size=2m,mode=755,exec,uid=5,ro"), {
    options: { mode: 0o755, exec: true, suid: false, dev: false, size: 2 * 1024 * 1024, uid: 5 },
    readOnly: true,
  });
  assert.match(
    failure(() => parseTmpfs("size=x")),
    /^invalid: invalid tmpfs option/,
  );
  assert.match(
    failure(() => parseTmpfs("constructor")),
    /^invalid: invalid tmpfs option/,
  );
});

const none = { Binds: null, VolumesFrom: null };

test("a destination named twice is an error, one the image declares is not", () => {
  const twice = { ...none, Binds: ["/a:/x", "/b:/x"] };
  assert.equal(
    failure(() => resolveMounts(twice, null, () => [])),
    "invalid: Duplicate mount point: /x",
  );
  const [mount, ...rest] = resolveMounts({ ...none, Binds: ["/a:/x"] }, { "/x": {} }, () => []);
  assert.ok(mount?.type === "bind" && rest.length === 0);
});

test("parents are mounted before children; tmpfs of others is not inherited", () => {
  const theirs = [parseBind("data:/d", fresh), parseBind("/a:/d/e", fresh)];
  const host = { Binds: ["/q:/a/b/c"], Tmpfs: { "/a": "" }, VolumesFrom: ["other:ro"] };
  const mounts = resolveMounts(host, null, (name) => (name === "other" ? theirs : []));
  assert.deepEqual(
    mounts.map(({ destination, readOnly }) => [destination, readOnly]),
    [
      ["/a", false],
      ["/d", true],
      ["/d/e", true],
      ["/a/b/c", false],
    ],
  );
});
