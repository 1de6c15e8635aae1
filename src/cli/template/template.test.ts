import assert from "node:assert/strict";
import { test } from "node:test";
import { ExitError } from "../errors.ts";
import { compileTemplate } from "./index.ts";

const data = {
  Id: "abc",
  Name: "/web",
  State: { Status: "running", Running: true, Pid: 42, OOMKilled: false },
  Labels: { b: "2", a: "1" },
  Args: ["x", "y"],
  Empty: [],
  None: null,
};

function render(source: string): string {
  return compileTemplate(source)(data);
}

const cases: readonly (readonly [source: string, expected: string])[] = [
  ["plain", "plain"],
  ["{{.Name}} {{.State.Status}}", "/web running"],
  ["{{.ID}}", "abc"],
  ["{{json .State}}", '{"Status":"running","Running":true,"Pid":42,"OOMKilled":false}'],
  ["{{json .}}", JSON.stringify(data)],
  ["{{.Labels}} {{.Args}} {{.None}}", "map[a:1 b:2] [x y] <nil>"],
  ["{{if .State.Running}}up{{else}}down{{end}}", "up"],
  ["{{if .Empty}}some{{else if .Args}}args{{else}}none{{end}}", "args"],
  ["{{range .Args}}<{{.}}>{{end}}{{range .Empty}}x{{else}}empty{{end}}", "<x><y>empty"],
  ["{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "a=1;b=2;"],
  ["{{range $i, $e := .Args}}{{if $i}},{{end}}{{$e}}{{end}}", "x,y"],
  ["{{range .Args}}{{$.Name}}{{end}}", "/web/web"],
  ["{{with .State}}{{.Pid}}{{end}}", "42"],
  ['{{index .Args 1}} {{index .Labels "a"}} {{len .Args}}', "y 1 2"],
  ['{{join .Args "-"}} {{upper "a"}} {{lower "B"}} {{title "ab cd"}}', "x-y A b Ab Cd"],
  ['{{.Args | json}} {{"a" | upper | printf "%s-%s" "z"}}', '["x","y"] z-A'],
  ['{{if and .Args (eq .State.Status "running" "paused") (not .Empty)}}yes{{end}}', "yes"],
  ['{{or .Empty "fallback"}} {{ne 1 2}} {{lt 1 2}} {{ge 2 2}}', "fallback true true true"],
  ["{{$x := .State.Pid}}{{if true}}{{$x = 7}}{{end}}{{$x}}", "7"],
  ["{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21"],
  ["a {{- 1 -}} b{{/* said */}}c", "a1bc"],
  ['{{printf "%-4s|%04d|%q" "a" 7 "b"}}', 'a   |0007|"b"'],
  ["{{println .Name}}", "/web\n"],
  ["{{(index .Args 0)}}{{(len .Args)}}", "x2"],
  ['{{"}}"}}', "}}"],
  ['{{range .Args}}{{if eq . "y"}}{{break}}{{end}}{{.}}{{end}}', "x"],
  ['{{split "a:b" ":"}} {{pad "a" 1 2}}| {{truncate "abcdef" 3}} {{slice "abc" 1}}', "[a b]  a  | abc bc"],
];

for (const [source, expected] of cases) {
  test(`${source} is filled in`, () => assert.equal(render(source), expected));
}

test("templates that cannot be read end with exit code 64", () => {
  for (const source of ["{{.Name", "{{end}}", "{{if .A}}", "{{nothing .A}}", "{{(.A}}", "{{.A | }}", "{{}}"]) {
    assert.throws(
      () => render(source),
      (error) => error instanceof ExitError && error.exitCode === 64,
      source,
    );
  }
});

test("data that is not there is an error", () => {
  for (const source of ["{{.Nope}}", "{{.None.X}}", "{{.Name.X}}", "{{index .Args 5}}"]) {
    assert.throws(
      () => render(source),
      (error) => error instanceof ExitError && error.exitCode === 1,
      source,
    );
  }
});

test("a table's headings stand for values", () => {
  const headings = { Names: "NAMES", Labels: "LABELS" };
  const shown = compileTemplate('{{.Names}}\t{{json .Labels}}\t{{.Labels "x"}}')(headings, { headings: true });
  assert.equal(shown, "NAMES\tLABELS\tLABELS");
});
