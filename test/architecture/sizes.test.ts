import assert from "node:assert/strict";
import { test } from "node:test";
import { functionsOf } from "./functions.ts";
import { sources } from "./sources.ts";

const budget = { medianFile: 100, file: 500, tailFunction: 40, function: 80 };

/**
 * What is larger than the budget, with its size as of today. This list only shrinks: an entry may not grow, and one
 * that is within the budget again has to go.
 */
const exceptions: Record<string, number> = {};

const production = sources("src/**/*.ts").filter(({ path }) => !path.endsWith(".test.ts"));

function lines(text: string): number {
  return text.split("\n").length - 1;
}

/** The value below which the given share of the sorted numbers lies. */
function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
}

function tooLarge(sizes: readonly (readonly [name: string, size: number])[], limit: number): string[] {
  return sizes
    .filter(([name, size]) => size > (exceptions[name] ?? limit))
    .map(([name, size]) => `${name}: ${size} lines, at most ${exceptions[name] ?? limit}`);
}

// Tables are data: a system call table is as long as Linux has system calls.
const isTable = (text: string) => /^\/\/ table\b|\n \* @table\b/.test(text);
const files = production.filter(({ text }) => !isTable(text)).map(({ path, text }) => [path, lines(text)] as const);
const functions = production.flatMap(({ path, text }) =>
  functionsOf(text).map(({ name, size }) => [`${path} ${name}`, size] as const),
);

test("files are small", () => {
  assert.deepEqual(tooLarge(files, budget.file), []);
  const median = quantile(
    files.map(([, size]) => size),
    0.5,
  );
  assert.ok(median <= budget.medianFile, `the median file has ${median} lines, at most ${budget.medianFile}`);
});

test("functions are small", () => {
  assert.deepEqual(tooLarge(functions, budget.function), []);
  const tail = quantile(
    functions.map(([, size]) => size),
    0.95,
  );
  assert.ok(
    tail <= budget.tailFunction,
    `1 function in 20 has more than ${tail} lines, at most ${budget.tailFunction}`,
  );
});

test("the list of exceptions has shrunk with the code", () => {
  const sizes = new Map<string, number>([...files, ...functions]);
  const over = (name: string) => (name.includes(" ") ? budget.function : budget.file);
  const stale = Object.entries(exceptions).filter(
    ([name, size]) => (sizes.get(name) ?? 0) <= over(name) || (sizes.get(name) ?? 0) < size,
  );
  assert.deepEqual(stale, []);
});
