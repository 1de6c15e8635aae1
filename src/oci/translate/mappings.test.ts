import assert from "node:assert/strict";
import { test } from "node:test";
import { linuxShape } from "../config/linux.ts";
import { containerMappingsOf } from "./mappings.ts";
import { namespacesOf } from "./namespaces.ts";

const range = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });

function mappingsWith(user: object[], uidMappings: object[], gidMappings = uidMappings) {
  const linux = linuxShape({ namespaces: [{ type: "mount" }, ...user], uidMappings, gidMappings }, "linux");
  return containerMappingsOf(linux, namespacesOf(linux));
}

test("ranges of ids, for a user namespace that is made or joined", () => {
  const users = [{ container: 0, host: 100_000, size: 65_536 }];
  assert.deepEqual(mappingsWith([{ type: "user" }], [range(0, 100_000, 65_536)]), { users, groups: users });
  const joined = mappingsWith([{ type: "user", path: "/proc/1/ns/user" }], []);
  assert.deepEqual(joined, { users: [], groups: [] });
});

test("what makes no sense is refused by its name", () => {
  const user = [{ type: "user" }];
  const refused: readonly [() => unknown, RegExp][] = [
    [() => mappingsWith([], [range(0, 1, 1)]), /linux\.uidMappings: it needs a user namespace/],
    [() => mappingsWith(user, []), /linux\.uidMappings: .* needs a mapping of 0/],
    [() => mappingsWith(user, [range(0, 1, 1)], [range(1, 1, 1)]), /linux\.gidMappings: .* needs a mapping of 0/],
    [() => mappingsWith(user, [range(0, 1, 0)]), /linux\.uidMappings\[0\]\.size: 0/],
    [() => mappingsWith(user, [range(0, 4_294_967_290, 10)]), /linux\.uidMappings\[0\]\.size: 10 ids/],
  ];
  for (const [ask, message] of refused) assert.throws(ask, message);
});
