/** Writes native/protocol.h from src/kernel/wire.ts; `--check` only says whether it is up to date. */
import { readFileSync, writeFileSync } from "node:fs";
import * as wire from "../src/kernel/wire.ts";

function constantName(group: string, name: string): string {
  const snake = (text: string) => text.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
  return `${snake(group)}_${snake(name)}`;
}

/** The header's text. */
export function protocolHeader(): string {
  const lines = [
    "/* Generated from src/kernel/wire.ts by native/generate-protocol.ts: do not edit. */",
    "#pragma once",
    "",
  ];
  for (const [group, table] of Object.entries(wire)) {
    for (const [name, value] of Object.entries(table)) lines.push(`#define ${constantName(group, name)} ${value}`);
    lines.push("");
  }
  return lines.join("\n");
}

if (import.meta.main) {
  const file = new URL("./protocol.h", import.meta.url);
  if (!process.argv.includes("--check")) writeFileSync(file, protocolHeader());
  else if (readFileSync(file, "utf8") !== protocolHeader()) {
    process.stderr.write("native/protocol.h is out of date: run node native/generate-protocol.ts\n");
    process.exitCode = 1;
  }
}
