import assert from "node:assert/strict";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { checkVersion, latestVersion, splitVersion, versionNumber } from "./versions.ts";

test("versions compare by number, not by text", () => {
  assert.ok(versionNumber("1.9") < versionNumber("1.24"));
  assert.ok(versionNumber("1.24") < versionNumber("1.51"));
  assert.ok(versionNumber("1.51") < versionNumber("2"));
  assert.equal(versionNumber("1.44.1"), versionNumber("1.44"));
});

test("a prefix is taken off the path", () => {
  const { version, path } = splitVersion("/v1.24/containers/json?all=1");
  assert.equal(version, versionNumber("1.24"));
  assert.equal(path, "/containers/json?all=1");
});

test("without a prefix the latest version is meant", () => {
  assert.equal(splitVersion("/info").version, versionNumber(latestVersion));
  assert.equal(splitVersion("/volumes/x").path, "/volumes/x");
  assert.equal(splitVersion("/v1.44").path, "/v1.44");
});

test("what is not spoken is refused in dockerd's words", () => {
  const refused = (url: string, text: string): void =>
    assert.throws(
      () => checkVersion(splitVersion(url)),
      (error) => error instanceof SampanError && error.kind === "invalid" && error.message === text,
    );
  refused(
    "/v1.23/info",
    "client version 1.23 is too old. Minimum supported API version is 1.24, please upgrade your client to a newer version",
  );
  refused("/v1.99/info", `client version 1.99 is too new. Maximum supported API version is ${latestVersion}`);
  refused("/v2/info", `client version 2 is too new. Maximum supported API version is ${latestVersion}`);
  checkVersion(splitVersion("/v1.24/info"));
  checkVersion(splitVersion(`/v${latestVersion}/info`));
});
