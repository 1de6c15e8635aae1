import type { Listing } from "../format/listing.ts";
import { humanBinarySize, humanSize, shortId } from "../format/units.ts";
import type { ContainerUsage } from "../stats/usage.ts";

const none = "--";

/** The columns of `stats`, as docker names and fills them. */
export function statsListing(truncate: boolean): Listing<ContainerUsage> {
  const known =
    (text: (usage: ContainerUsage) => string, otherwise = `${none} / ${none}`) =>
    (usage: ContainerUsage) =>
      usage.unknown ? otherwise : text(usage);
  return {
    id: "ID",
    columns: ["ID", "Name", "CPUPerc", "MemUsage", "MemPerc", "NetIO", "BlockIO", "PIDs"],
    fields: {
      Container: ["CONTAINER", ({ container }) => container],
      ID: ["CONTAINER ID", ({ id }) => (truncate ? shortId(id) : id)],
      Name: ["NAME", ({ name }) => name || none],
      CPUPerc: ["CPU %", known(({ cpu }) => percent(cpu), none)],
      MemUsage: [
        "MEM USAGE / LIMIT",
        known(({ memory, memoryLimit }) => `${humanBinarySize(memory)} / ${humanBinarySize(memoryLimit)}`),
      ],
      MemPerc: ["MEM %", known(({ memoryShare }) => percent(memoryShare), none)],
      NetIO: ["NET I/O", known(({ received, sent }) => `${humanSize(received)} / ${humanSize(sent)}`)],
      BlockIO: ["BLOCK I/O", known(({ read, written }) => `${humanSize(read)} / ${humanSize(written)}`)],
      PIDs: ["PIDS", known(({ processes }) => String(processes), none)],
    },
  };
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}
