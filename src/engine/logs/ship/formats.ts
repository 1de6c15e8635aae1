import { shortId } from "../../identity/ids.ts";
import { chosenAttributes, type Described, logTag } from "../attributes.ts";
import { syslogDestination } from "./destination.ts";
import { fieldName, type JournalFields, journalEntry } from "./journal.ts";
import type { Line } from "./lines.ts";
import { syslogMessage } from "./syslog.ts";

/** How a line of this container looks on its way to its log driver. */
export function formatOf(record: Described): (line: Line) => Buffer {
  const { Type, Config } = record.hostConfig.LogConfig;
  if (Type === "journald") {
    const fields = journalFields(record);
    return (line) => journalEntry(line, fields);
  }
  const { format, facility } = syslogDestination(Config);
  const style = { format, facility, tag: logTag(record) };
  return (line) => syslogMessage(line, style);
}

/** Those of dockerd, with the labels and variables that were asked for. */
function journalFields(record: Described): JournalFields {
  const more = chosenAttributes(record).map(([name, value]) => [fieldName(name), value] as const);
  return {
    ...Object.fromEntries(more.filter(([name]) => name !== "")),
    CONTAINER_ID: shortId(record.id),
    CONTAINER_ID_FULL: record.id,
    CONTAINER_NAME: record.name,
    CONTAINER_TAG: logTag(record),
    IMAGE_NAME: record.config.Image,
    SYSLOG_IDENTIFIER: logTag(record),
  };
}
