import assert from "node:assert/strict";
import { test } from "node:test";
import { functionsOf } from "./functions.ts";

test("functions, methods and arrows are measured by their indentation", () => {
  const source = [
    "export function one(): void {",
    "  call(",
    "    1,",
    "  );",
    "}",
    "",
    "class A {",
    "  async *two<T>(",
    "    a: T,",
    "  ): AsyncGenerator<T> {",
    "    yield a;",
    "  }",
    "",
    "  #three = (a: number) => {",
    "    if (a) {",
    "      call();",
    "    }",
    "  };",
    "}",
    "interface B {",
    "  four(): void;",
    "}",
    "five({",
    "  a: 1,",
    "});",
  ].join("\n");
  assert.deepEqual(functionsOf(source), [
    { name: "one", size: 5 },
    { name: "two", size: 5 },
    { name: "#three", size: 5 },
  ]);
});
