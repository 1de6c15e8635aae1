import assert from "node:assert/strict";
import { test } from "node:test";
import { labelsOf, mountLabelOf } from "./labels.ts";

const none = () => ({ apparmor: false, selinux: false, ownDirectory: false });
const apparmor = () => ({ ...none(), apparmor: true, ownDirectory: true });
const selinux = () => ({ ...none(), selinux: true });

test("each module is told in its own file", () => {
  const told = (...[process, modules]: Parameters<typeof labelsOf>) =>
    labelsOf(process, modules).map(({ file, text }) => [file, text]);
  const profile = { apparmorProfile: "docker-default", selinuxLabel: undefined };
  assert.deepEqual(told(profile, apparmor), [["apparmor/exec", "exec docker-default"]]);
  assert.deepEqual(
    told(profile, () => ({ ...apparmor(), ownDirectory: false })),
    [["exec", "exec docker-default"]],
  );
  const label = { apparmorProfile: "", selinuxLabel: "system_u:system_r:container_t:s0:c1,c2" };
  assert.deepEqual(told(label, selinux), [["exec", "system_u:system_r:container_t:s0:c1,c2"]]);
  assert.equal(mountLabelOf("system_u:object_r:container_file_t:s0", selinux), "system_u:object_r:container_file_t:s0");
});

test("where a module is not there, its label is refused; who wants none needs none", () => {
  const refused = (process: Parameters<typeof labelsOf>[0], why: RegExp) =>
    assert.throws(() => labelsOf(process, none), why);
  refused(
    { apparmorProfile: "x", selinuxLabel: "" },
    /process\.apparmorProfile is not supported here: .* without AppArmor/,
  );
  refused(
    { apparmorProfile: "", selinuxLabel: "x" },
    /process\.selinuxLabel is not supported here: .* without SELinux/,
  );
  assert.throws(() => mountLabelOf("x", none), /linux\.mountLabel is not supported here/);
  assert.deepEqual(labelsOf({ apparmorProfile: "", selinuxLabel: undefined }, assert.fail), []);
  assert.equal(mountLabelOf("", assert.fail), undefined);
});
