import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fragments } from "../../../test/suites/dockerfile/fragments.ts";
import { lintCases } from "../../../test/suites/dockerfile/lints.ts";

/** What Docker's own builder said of the same texts: see test/suites/dockerfile/record.ts. */
const docker = JSON.parse(
  readFileSync(new URL("../../../test/suites/dockerfile/docker.golden.json", import.meta.url), "utf8"),
) as {
  readonly fragments: Readonly<Record<string, string>>;
  readonly lints: Readonly<Record<string, readonly (readonly string[])[]>>;
};

test("Docker's builder refuses what is refused here, and nothing else", () => {
  const differ = fragments
    .filter(({ elsewhere }) => elsewhere === undefined)
    .filter(({ name, error, unlikeDocker }) => {
      const same = ((docker.fragments[name] ?? "") !== "") === (error !== undefined);
      return same !== (unlikeDocker === undefined);
    });
  assert.deepEqual(differ, []);
  assert.equal(Object.keys(docker.fragments).length, fragments.length - 1, "names are unique, and all were asked");
});

test("Docker's builder finds the same lints", () => {
  for (const { text, lints, ignore, unlikeDocker } of lintCases) {
    if (ignore !== undefined) continue;
    if (unlikeDocker === undefined) assert.deepEqual(docker.lints[text], lints, text);
    else assert.notDeepEqual(docker.lints[text], lints, `${text} is like docker's by now`);
  }
});
