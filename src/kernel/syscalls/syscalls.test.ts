import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { SampanError } from "../../errors/index.ts";
import { arm } from "./arm.ts";
import { i386 } from "./i386.ts";
import { type Arch, hostArch, syscallName, syscallNumber, syscallTable } from "./index.ts";
import { unified } from "./unified.ts";
import { x32, x32Bit } from "./x32.ts";

test("a call has its own number on each architecture", () => {
  assert.equal(syscallNumber("openat", "x86_64"), 257);
  assert.equal(syscallNumber("openat", "aarch64"), 56);
  assert.equal(syscallNumber("clone3", "x86_64"), 435);
  assert.equal(syscallNumber("clone3", "aarch64"), 435);
  assert.equal(i386.socketcall, 102);
  assert.equal(arm.openat, 322);
  assert.equal(x32.execve, x32Bit | 520);
});

test("a call the architecture lacks is refused by name", () => {
  assert.throws(
    () => syscallNumber("open", "aarch64"),
    (error: unknown) => error instanceof SampanError && error.kind === "unsupported" && error.message.includes("open"),
  );
});

test("numbers lead back to names and are unique in each table", () => {
  for (const arch of ["x86_64", "aarch64"] satisfies Arch[]) {
    const table = syscallTable(arch);
    assert.equal(new Set(Object.values(table)).size, Object.keys(table).length);
    for (const [name, number] of Object.entries(table)) assert.equal(syscallName(number, arch), name);
    assert.equal(syscallName(9999, arch), undefined);
  }
});

const headers: [string, RegExp, Readonly<Record<string, number>>, number][] = [
  ["unistd_64.h", /__NR_(\w+) (\d+)/g, syscallTable("x86_64"), 0],
  ["unistd_32.h", /__NR_(\w+) (\d+)/g, { ...i386, ...unified }, 0],
  ["unistd_x32.h", /__NR_(\w+) \(__X32_SYSCALL_BIT \+ (\d+)\)/g, x32, x32Bit],
];
for (const [file, pattern, table, bit] of hostArch() === "x86_64" ? headers : []) {
  const path = `/usr/include/x86_64-linux-gnu/asm/${file}`;
  test(`the table agrees with the installed ${file}`, { skip: !existsSync(path) && `${path} is missing` }, () => {
    let seen = 0;
    for (const [, name = "", number] of readFileSync(path, "utf8").matchAll(pattern)) {
      if (table[name] === undefined) continue; // the headers may be newer than we are
      assert.equal(table[name], Number(number) | bit, name);
      seen++;
    }
    assert.ok(seen > 340, `only ${seen} names matched`);
  });
}
