import { rfc3339Fixed } from "../../time.ts";
import type { Line } from "./lines.ts";

/** Fields of every entry of one container; names as the journal allows them. */
export type JournalFields = Readonly<Record<string, string>>;

const PRIORITY_ERR = "3";
const PRIORITY_INFO = "6";

/** One entry of the journal, as dockerd writes it: https://systemd.io/JOURNAL_NATIVE_PROTOCOL. */
export function journalEntry(line: Line, fields: JournalFields): Buffer {
  return Buffer.concat([
    field("MESSAGE", line.text),
    field("PRIORITY", Buffer.from(line.stream === 2 ? PRIORITY_ERR : PRIORITY_INFO)),
    field("SYSLOG_TIMESTAMP", Buffer.from(rfc3339Fixed(line.time))),
    ...(line.partial ? [field("CONTAINER_PARTIAL_MESSAGE", Buffer.from("true"))] : []),
    ...Object.entries(fields).map(([name, value]) => field(name, Buffer.from(value))),
  ]);
}

/** NAME=value, or with a length in front where the value has newlines. */
function field(name: string, value: Buffer): Buffer {
  if (!value.includes(10)) return Buffer.concat([Buffer.from(`${name}=`), value, Buffer.from("\n")]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(value.length));
  return Buffer.concat([Buffer.from(`${name}\n`), length, value, Buffer.from("\n")]);
}

/** A label's or variable's name as one of a field: capitals, digits and underscores, the first no underscore. */
export function fieldName(name: string): string {
  return name
    .toUpperCase()
    .replace(/[^A-Z0-9]/g, "_")
    .replace(/^_+/, "")
    .slice(0, 64);
}
