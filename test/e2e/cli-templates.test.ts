import assert from "node:assert/strict";
import { before, test } from "node:test";
import { docker, dockerIsRecent } from "../support/docker.ts";
import { requires, requiresRoot } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

const box = sandbox();
const recent = dockerIsRecent() ? {} : { skip: "needs docker's command line of API 1.44 or newer" };
const needs = { ...recent, ...requires("docker"), ...requiresRoot() };

before(async () => {
  await box.start();
  await box.ok(
    "create",
    "--name",
    "web",
    "--label",
    "a=1",
    "-e",
    "X=1",
    "--network",
    "none",
    "sampan/host",
    "sleep",
    "9",
  );
});

/** What `ps --format` makes of it, errors and their exit codes included, is what docker's does. */
const listed = [
  "{{json .Names}} {{.Labels}} {{.Label `a`}}",
  "table {{.Names}}\\t{{upper .Image}}\\t{{.Status}}",
  '{{range $i, $e := (split .Names "e")}}{{$i}}={{$e}};{{else}}none{{end}}',
  '{{if and (eq .Names "web" "x") (ne .ID "")}}yes{{else if .ID}}no{{end}}',
  '{{with .Names}}{{.}}{{end}}{{with ""}}a{{else with .Names}}b{{.}}{{end}}',
  '{{index (split .Names "e") 0}} {{len .Names}} {{println .Names}}',
  "{{upper .Names}}{{lower .Names}}{{title .Names}} {{truncate .Names 2}} {{pad .Names 2 3}}|",
  '{{printf "%q %v %d %5s %T %c %05.1f" .Names .Image 3 "a" 1 65 2.26}} {{printf "%d" "a"}} {{printf "x" 1}}',
  '{{print 1 2 "a"}} {{1_000}} {{0x10}} {{len "ü"}} {{html "<a>"}} {{urlquery "a b"}}',
  "{{range $i := 3}}{{$i}}{{end}}{{$x := 1}}{{$x = 2}}{{$x}}",
  "{{.Platform}}",
  "{{.Names.Foo}}",
  "{{",
  "{{end}}",
  "{{if}}",
  "{{nosuch .Names}}",
  "{{.Names",
  "{{index .Names 99}}",
  "{{json}}",
  "{{not 1 2}}",
  "{{len 3}}",
  '{{eq 1 "a"}}',
  "{{nil}}",
  "{{$y}}",
  "{{break}}",
  "{{if .Names}}a",
  '{{"a" "b"}}',
  '{{.Names "x"}}',
];

/** What `inspect --format` makes of it. */
const inspected = [
  "{{.Config.Env}} {{json .Config.Labels}} {{.Config.Labels.a}} {{.Config.Labels.none}}",
  "{{range $k, $v := .Config.Labels}}{{$k}}={{$v}}{{end}} {{index .Config.Cmd 0 | upper}}",
  "{{.HostConfig.Binds}} {{json .HostConfig.Binds}} {{.HostConfig.PortBindings}} {{len .Mounts}}",
  "{{.State.Health}} {{if .State.Health}}h{{else}}no{{end}}",
  "{{range .Mounts}}x{{else}}none{{end}} {{.ID}}",
  "{{.Name",
];

for (const template of listed) {
  test(`ps --format ${template}`, needs, async () => {
    const args = ["ps", "-a", "--format", template];
    const [ours, theirs] = await Promise.all([box.run(args), docker(box, args)]);
    assert.deepEqual(
      { status: ours.status, stdout: ours.stdout, stderr: ours.stderr },
      { status: theirs.status, stdout: theirs.stdout, stderr: theirs.stderr },
    );
  });
}

for (const template of inspected) {
  test(`inspect --format ${template}`, needs, async () => {
    const args = ["inspect", "--format", template, "web"];
    const [ours, theirs] = await Promise.all([box.run(args), docker(box, args)]);
    assert.deepEqual([ours.status, ours.stdout, ours.stderr], [theirs.status, theirs.stdout, theirs.stderr]);
  });
}

test("a list as JSON has docker's fields in docker's order", needs, async () => {
  const keys = (text: string) => Object.keys(JSON.parse(text) as object);
  for (const format of ["json", "{{json .}}"]) {
    const args = ["ps", "-a", "--format", format];
    const [ours, theirs] = await Promise.all([box.ok(...args), docker(box, args)]);
    assert.deepEqual(keys(ours), keys(theirs.stdout));
  }
});
