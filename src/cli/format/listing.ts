import { TemplateError } from "../template/error.ts";
import { compileTemplate } from "../template/index.ts";
import { alignColumns } from "./table.ts";

/** A field that a template may use: its heading (of a field that takes arguments, what it is with these), and its value. */
export type Field<T> = readonly [
  heading: string | ((...args: readonly unknown[]) => string),
  value: (item: T) => unknown,
];

/** A list that a command shows: its columns by the names templates know them by. */
export interface Listing<T> {
  readonly fields: Readonly<Record<string, Field<T>>>;
  /** The fields of the usual table, in order. */
  readonly columns: readonly string[];
  /** The field that `--quiet` prints. */
  readonly id: string;
}

export interface ListingStyle {
  /** `table`, `table TEMPLATE`, `json` or a template; nothing is the usual table. */
  readonly format?: string | undefined;
  readonly quiet?: boolean | undefined;
}

/** The lines that show the items. */
export function formatListing<T>(listing: Listing<T>, items: readonly T[], style: ListingStyle): string[] {
  const { format = "", quiet } = style;
  const rows = items.map((item) => rowOf(listing, item));
  if (quiet && (format === "" || format === "table")) return rows.map((row) => String(row[listing.id]));
  if (format === "" || format === "table") return table(listing, rows, listing.columns);
  if (format === "json") return rows.map((row) => JSON.stringify(row));
  if (/^table(\s|$)/.test(format)) {
    return inWordsOfLists(() => templateTable(listing, rows, format.slice("table".length).trimStart()));
  }
  return inWordsOfLists(() => {
    const render = compileTemplate(escapes(format));
    return rows.flatMap((row) => render(row).split("\n"));
  });
}

function inWordsOfLists<T>(fill: () => T): T {
  try {
    return fill();
  } catch (error) {
    throw error instanceof TemplateError ? error.forList() : error;
  }
}

type Row = Record<string, unknown>;

/** The fields of one item, each computed when a template first asks for it. */
function rowOf<T>(listing: Listing<T>, item: T): Row {
  const row: Row = {};
  for (const [name, [, value]] of Object.entries(listing.fields)) {
    Object.defineProperty(row, name, { enumerable: true, get: () => value(item) });
  }
  Object.defineProperty(row, "toJSON", { value: () => evaluated(row) });
  return row;
}

function evaluated(row: Row): Row {
  return Object.fromEntries(
    Object.keys(row)
      .toSorted()
      .filter((name) => typeof row[name] !== "function")
      .map((name) => [name, row[name]]),
  );
}

function table(listing: Listing<never> | Listing<unknown>, rows: readonly Row[], columns: readonly string[]): string[] {
  const headings = columns.map((name) => String(listing.fields[name]?.[0] ?? ""));
  return alignColumns([headings, ...rows.map((row) => columns.map((name) => String(row[name])))]);
}

function templateTable<T>(listing: Listing<T>, rows: readonly Row[], source: string): string[] {
  const render = compileTemplate(escapes(source));
  const headings: Row = {};
  for (const [name, [heading]] of Object.entries(listing.fields)) headings[name] = heading;
  const lines = [render(headings, { headings: true }), ...rows.map((row) => render(row))];
  return alignColumns(lines.map((line) => line.split("\t")));
}

/** A shell hands `\t` and `\n` on as they were typed. */
function escapes(source: string): string {
  return source.replaceAll("\\t", "\t").replaceAll("\\n", "\n");
}
