import type { Entry } from "../../test/support/images.ts";
import { content } from "./content.ts";

/** Directory `name` with so many files that share out so many bytes. */
export function bigFiles(name: string, count: number, bytes: number): Entry[] {
  const files = Array.from(
    { length: count },
    (_, i): Entry => ({ name: `${name}/${i}`, body: content(bytes / count) }),
  );
  return [{ name, type: "directory" }, ...files];
}

/** Directory `name` with so many files in directories of a hundred; `size` is the bytes of one, by its number. */
export function manyFiles(name: string, count: number, size: (n: number) => number): Entry[] {
  const pool = content(1 << 20);
  const file = (n: number): Entry => {
    const start = (n * 13) % 900_000;
    return { name: `${name}/d${Math.floor(n / 100)}/f${n % 100}`, body: pool.subarray(start, start + size(n)) };
  };
  const directories = Array.from({ length: Math.ceil(count / 100) }, (_, d) => d);
  return [
    { name, type: "directory" },
    ...directories.flatMap((d): Entry[] => [
      { name: `${name}/d${d}`, type: "directory" },
      ...Array.from({ length: Math.min(100, count - d * 100) }, (_, i) => file(d * 100 + i)),
    ]),
  ];
}

/** A number as a title has it. */
export const said = (n: number): string => n.toLocaleString("en", { maximumFractionDigits: 2 });

/** Changes of 200 MB, times `part`, in a directory: four files in /big, or 20,000 in /small. */
export const changes = {
  big: {
    title: (part: number) => `4 files, ${said(200 * part)} MB`,
    files: (part: number) => bigFiles("big", 4, 200e6 * part),
  },
  small: {
    title: (part: number) => `${said(20_000 * part)} files, ${said(200 * part)} MB`,
    files: (part: number) => manyFiles("small", 20_000 * part, () => 10_000),
  },
} as const;
