import assert from "node:assert/strict";
import { test } from "node:test";
import { redacted } from "../../images/urls.ts";
import { type GitReference, isCommit, parseGitContext, parseGitReference, shownReference } from "./reference.ts";

function parsed(text: string): Partial<GitReference> {
  const reference = parseGitReference(text);
  assert.ok(reference, text);
  return Object.fromEntries(
    Object.entries(reference).filter(([name, value]) => value !== undefined && value !== "" && name !== "submodules"),
  );
}

test("repositories in all spellings", () => {
  assert.deepEqual(parsed("https://h/a.git"), { remote: "https://h/a.git", protocol: "https", host: "h" });
  assert.deepEqual(parsed("HTTP://h:8080/a/b.git#v1:some//dir/"), {
    remote: "http://h:8080/a/b.git",
    protocol: "http",
    host: "h:8080",
    ref: "v1",
    subdir: "some/dir",
  });
  assert.deepEqual(parsed("git://h/a#:dir"), { remote: "git://h/a", protocol: "git", host: "h", subdir: "dir" });
  assert.deepEqual(parsed("ssh://git@h:22/a.git"), { remote: "ssh://git@h:22/a.git", protocol: "ssh", host: "h:22" });
  assert.deepEqual(parsed("git@h:a/b.git?branch=x#:d"), {
    remote: "git@h:a/b.git",
    protocol: "ssh",
    host: "h",
    ref: "refs/heads/x",
    subdir: "d",
  });
  for (const text of [
    "https://h/a",
    "https://h/a.git/x",
    "https://h/a.tar.gz#x.git",
    "a/b.git",
    "file:///a.git",
    "./a@b:c",
    "C:x",
  ]) {
    assert.equal(parseGitReference(text), undefined, text);
  }
  assert.equal(parseGitReference("github.com/a/b"), undefined);
  assert.equal(parseGitContext("github.com/a/b#x:y")?.remote, "https://github.com/a/b.git");
});

test("the query says what the fragment says, and more", () => {
  assert.equal(parsed("https://h/a.git?tag=v1").ref, "refs/tags/v1");
  assert.equal(parsed("https://h/a.git?branch=refs/heads/x").ref, "refs/heads/x");
  assert.equal(parsed("https://h/a.git?ref=x#x:d").ref, "x");
  const sum = "0123456789abcdef0123456789abcdef01234567";
  assert.partialDeepStrictEqual(parsed(`https://h/a.git?commit=${sum}`), { ref: sum, checksum: sum });
  assert.partialDeepStrictEqual(parsed(`https://h/a.git?checksum=0123456#v1`), { ref: "v1", checksum: "0123456" });
  assert.equal(parseGitReference("https://h/a.git?keep-git-dir")?.keepGitDir, true);
  assert.equal(parseGitReference("https://h/a.git?submodules=false")?.submodules, false);
  const wrong: readonly (readonly [string, RegExp])[] = [
    ["x=1", /unexpected query "x"/],
    ["tag=a&branch=b", /branch conflicts with tag/],
    ["branch=", /query "branch" has no value/],
    ["ref=a&ref=b", /multiple values/],
    ["ref=a#b", /ref conflicts: "b" vs "a"/],
    ["subdir=a#:b", /subdir conflicts/],
    ["keep-git-dir=maybe", /invalid keep-git-dir value/],
    ["checksum=012", /invalid checksum/],
    ["subdir=../x", /leads out of the repository/],
  ];
  for (const [query, message] of wrong) {
    assert.throws(() => parseGitReference(`https://h/a.git?${query}`), { kind: "invalid", message }, query);
  }
});

test("nothing of a reference can be an option, a refspec or a second line", () => {
  for (const ref of [
    "-x",
    "--upload-pack=x",
    "a..b",
    "a^",
    "a~1",
    "+a",
    "a:b",
    "*",
    "a b",
    "a%0Ab",
    "@{1}",
    "/a",
    "a/",
    "@",
  ]) {
    const url = ref.includes(":") ? `https://h/a.git?ref=${ref}` : `https://h/a.git#${ref}`;
    if (ref === "+a") assert.equal(parsed(url).ref, "+a");
    else assert.throws(() => parseGitReference(url), { kind: "invalid" }, ref);
  }
  for (const url of ["ssh://-oProxyCommand=x/a", "ssh://-x@h/a", "https://h/a%0a.git", "ssh://u:p@h/a", "ssh:///a"]) {
    assert.throws(() => parseGitReference(url), { kind: "invalid" }, url);
  }
  for (const text of ["-x@h:a", "git@-x:a", "git@h:-a", "git@h:a\nb"]) assert.equal(parseGitReference(text), undefined);
});

test("credentials are for the server alone", () => {
  const reference = parseGitReference("https://me:p%40ss@h/a.git#main");
  assert.ok(reference);
  assert.equal(reference.credentials, "me:p@ss");
  assert.equal(shownReference(reference), "https://h/a.git#main");
  assert.equal(redacted("https://me:pw@h/a.git#x@y"), "https://xxxxx@h/a.git#x@y");
  assert.throws(
    () => parseGitReference("https://me:secret@h/a.git?x=1"),
    (error: Error) => !error.message.includes("secret"),
  );
});

test("a commit has all its digits", () => {
  assert.ok(isCommit("a".repeat(40)) && isCommit("0".repeat(64)));
  assert.ok(!isCommit("a".repeat(39)) && !isCommit("A".repeat(40)));
});
