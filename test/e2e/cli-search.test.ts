import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, test } from "node:test";
import { docker } from "../support/docker.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox({ start: true });
const asked: string[] = [];
const results = [
  { name: "library/few", description: "few stars", star_count: 3, is_official: true },
  { name: "team/many", description: `${"long ".repeat(20)}\nend`, star_count: 300, is_official: false },
];
/** An index by Docker's first protocol. */
const index = createServer((request, response) => {
  asked.push(request.url ?? "");
  if (request.url?.startsWith("/v1/search?")) response.end(JSON.stringify({ num_results: 2, results }));
  else response.writeHead(404).end();
});
let host = "";

before(async () => {
  await new Promise<void>((resolve) => index.listen(0, "127.0.0.1", resolve));
  host = `127.0.0.1:${(index.address() as AddressInfo).port}`;
});
after(() => index.close());

test("search shows what an index has, as docker does", { ...requires("docker"), ...requiresRoot() }, async () => {
  const said = await box.run(["search", "--limit", "7", `${host}/some/word`]);
  assert.equal(said.status, 0, said.stderr);
  assert.ok(asked.includes("/v1/search?q=some%2Fword&n=7"), asked.join("\n"));
  const theirs = await docker(box, ["search", "--limit", "7", `${host}/some/word`]);
  assert.deepEqual(said.stdout.split(/\s+/), theirs.stdout.split(/\s+/), theirs.stderr);
  assert.match(said.stdout, /^NAME\s+DESCRIPTION\s+STARS\s+OFFICIAL\nlibrary.few .* 3\s+\[OK\]\nteam.many .*…\s+300/);
});

test("filters and formats; filters and limits that are none", requiresRoot(), async () => {
  const names = (...args: string[]) => box.ok("search", "--format", "{{.Name}}", ...args, `${host}/x`);
  assert.equal(await names("--filter", "is-official=true"), "library/few");
  assert.equal(await names("--filter", "stars=100"), "team/many");
  assert.match(await box.ok("search", "--no-trunc", `${host}/x`), /(long ){20} ?end/);
  await box.fails({ status: 1, stderr: /outside the range of \[1, 100\]/ }, "search", "--limit", "101", `${host}/x`);
  await box.fails({ status: 1, stderr: /invalid filter 'x'/ }, "search", "--filter", "x=1", `${host}/x`);
  await box.fails({ status: 1, stderr: /ECONNREFUSED/ }, "search", "127.0.0.1:1/x");
});

test("the route answers with what the index has said", requiresRoot(), async () => {
  const { status, json } = await box.api("GET", `/images/search?term=${host}/some/word&limit=3`);
  assert.equal(status, 200);
  assert.ok(asked.includes("/v1/search?q=some%2Fword&n=3"), asked.join("\n"));
  assert.deepEqual(
    (json as { name: string }[]).map(({ name }) => name),
    results.map(({ name }) => name),
  );
  assert.equal((await box.api("GET", "/images/search?limit=3")).status, 400);
});
