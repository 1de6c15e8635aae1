import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../errors/index.ts";
import * as f from "../../kernel/flags.ts";
import { checkLocalOptions, localMount } from "./local-options.ts";

const resolve = async (host: string) => (host === "files.example.org" ? "192.0.2.7" : `resolved ${host}`);

test("what mount(2) is given: NFS, CIFS, tmpfs, a directory, an ext4 device", async () => {
  const rows: [options: Record<string, string>, type: string, device: string, flags: number, data: string][] = [
    [
      { type: "nfs", device: ":/export/data", o: "addr=files.example.org,rw,nfsvers=4.2,hard" },
      ...(["nfs", ":/export/data", 0, "addr=192.0.2.7,nfsvers=4.2,hard"] as const),
    ],
    [
      { type: "nfs4", device: ":/", o: "addr=files.example.org,ro,noatime,nosuid" },
      ...(["nfs4", ":/", f.MS_RDONLY | f.MS_NOATIME | f.MS_NOSUID, "addr=192.0.2.7"] as const),
    ],
    [
      { type: "cifs", device: "//files.example.org/share", o: "addr=files.example.org,username=u,password=p" },
      ...(["cifs", "//files.example.org/share", 0, "addr=192.0.2.7,username=u,password=p"] as const),
    ],
    [
      { type: "tmpfs", device: "tmpfs", o: "size=100m,uid=1000,noexec" },
      ...(["tmpfs", "tmpfs", f.MS_NOEXEC, "size=100m,uid=1000"] as const),
    ],
    [
      { type: "none", device: "/srv/data", o: "rbind,ro" },
      ...(["none", "/srv/data", f.MS_BIND | f.MS_REC | f.MS_RDONLY, ""] as const),
    ],
    [{ type: "ext4", device: "/dev/vdb1" }, ...(["ext4", "/dev/vdb1", 0, ""] as const)],
    // A name is only looked up where the kernel wants an address.
    [{ type: "tmpfs", device: "x", o: "addr=files.example.org" }, "tmpfs", "x", 0, "addr=files.example.org"],
    [{ type: "tmpfs", device: "x", o: "ro,rw,,sync" }, "tmpfs", "x", f.MS_SYNCHRONOUS, ""],
  ];
  for (const [options, type, device, flags, data] of rows) {
    checkLocalOptions(options);
    assert.deepEqual(await localMount(options, resolve), { type, device, flags, data }, JSON.stringify(options));
  }
  assert.equal(await localMount({}, resolve), undefined);
});

test("options that make no mount are refused, in dockerd's words", () => {
  const rows: [Record<string, string>, RegExp][] = [
    [{ nosuch: "1" }, /^invalid option: "nosuch"$/],
    [{ type: "nfs", o: "addr=a" }, /^missing required option: "device"$/],
    [{ device: ":/x" }, /^missing required option: "type"$/],
    [{ o: "ro" }, /^missing required option: "device"$/],
    [{ size: "1g" }, /^quota size requested but no quota support$/],
  ];
  for (const [options, message] of rows) {
    assert.throws(
      () => checkLocalOptions(options),
      (error: Error) => kindOf(error) === "invalid" && message.test(error.message),
      JSON.stringify(options),
    );
  }
});
