import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMount } from "./mount.ts";

test("bind mounts have a source, a target and options", () => {
  assert.deepEqual(parseMount("type=bind,src=/a,dst=/b,readonly"), {
    Type: "bind",
    Source: "/a",
    Target: "/b",
    ReadOnly: true,
  });
  assert.deepEqual(
    parseMount('type=bind,"source=/a,b",target=/b,ro=false,bind-propagation=rslave,bind-recursive=disabled'),
    {
      Type: "bind",
      Source: "/a,b",
      Target: "/b",
      ReadOnly: false,
      BindOptions: { Propagation: "rslave", NonRecursive: true },
    },
  );
  const recursive = (words: string) => parseMount(`type=bind,src=/a,dst=/b,readonly,${words}`).BindOptions;
  assert.deepEqual(recursive("bind-recursive=writable"), { ReadOnlyNonRecursive: true });
  assert.deepEqual(recursive("bind-recursive=readonly,bind-propagation=rprivate"), {
    ReadOnlyForceRecursive: true,
    Propagation: "rprivate",
  });
  assert.equal(parseMount("dst=/b,src=.,type=bind").Source, process.cwd());
});

test("tmpfs mounts have a size and a mode", () => {
  assert.deepEqual(parseMount("type=tmpfs,destination=/x,tmpfs-size=1m,tmpfs-mode=1770"), {
    Type: "tmpfs",
    Target: "/x",
    TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o1770 },
  });
});

test("a mount of no type is a volume, which may have no name", () => {
  assert.deepEqual(parseMount("dst=/b"), { Type: "volume", Target: "/b" });
  assert.deepEqual(
    parseMount("type=volume,src=v,dst=/b,volume-nocopy,volume-subpath=a/b,volume-label=x=1,volume-label=y,ro"),
    {
      Type: "volume",
      Source: "v",
      Target: "/b",
      ReadOnly: true,
      VolumeOptions: { NoCopy: true, Subpath: "a/b", Labels: { x: "1", y: "" } },
    },
  );
  assert.deepEqual(parseMount("dst=/b,volume-driver=local,volume-opt=type=nfs,volume-opt=o=ro").VolumeOptions, {
    DriverConfig: { Name: "local", Options: { type: "nfs", o: "ro" } },
  });
});

const refused: readonly (readonly [text: string, message: RegExp])[] = [
  ["foo", /invalid field 'foo' must be a key=value pair/],
  ["type=bind,src=/a", /target is required/],
  ["type=bind,dst=/a", /source is required/],
  ["type=bind,src=/a,dst=/b,foo=1", /unexpected key 'foo' in 'foo=1'/],
  ["type=tmpfs,src=/a,dst=/b", /cannot specify source/],
  ["type=tmpfs,dst=/b,bind-propagation=shared", /cannot mix 'bind-\*' options with mount type 'tmpfs'/],
  ["type=bind,src=/a,dst=/b,bind-propagation=up", /invalid value for bind-propagation: up/],
  ["type=bind,src=/a,dst=/b,volume-nocopy", /cannot mix 'volume-\*' options with mount type 'bind'/],
  ["type=bind,src=/a,dst=/b,bind-recursive=writable", /'bind-recursive=writable' requires 'readonly'/],
  ["type=bind,src=/a,dst=/b,bind-recursive=readonly", /'bind-recursive=readonly' requires 'readonly'/],
  ["type=bind,src=/a,dst=/b,ro,bind-recursive=readonly", /requires 'bind-propagation=rprivate'/],
  ["type=bind,src=/a,dst=/b,ro,bind-recursive=so", /invalid value for bind-recursive: so/],
  ["type=volume,dst=/b,volume-nocopy=x", /is not true or false/],
  ["type=image,src=i,dst=/b", /not in this version/],
  ["type=nonsense,dst=/b", /invalid mount type "nonsense"/],
  ["type=tmpfs,dst=/b,tmpfs-mode=9", /invalid value for tmpfs-mode/],
];

for (const [text, message] of refused) {
  test(`--mount ${text} is refused`, () => assert.throws(() => parseMount(text), message));
}
