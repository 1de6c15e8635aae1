import { type ProcessInfo, ticksPerSecond } from "./process.ts";
import type { Surroundings } from "./surroundings.ts";
import { bsdStart, bsdTime, cpuTime, elapsed, longStart, started, startTime } from "./times.ts";

export interface Column {
  readonly heading: string;
  readonly value: (process: ProcessInfo, around: Surroundings) => string | number;
}

type Value = Column["value"];

const pageKiB = 4;

const seconds = ({ userTime, systemTime }: ProcessInfo) => (userTime + systemTime) / ticksPerSecond;
const startOf = ({ startTime }: ProcessInfo, { bootTime }: Surroundings) => bootTime + startTime / ticksPerSecond;
const age = (process: ProcessInfo, around: Surroundings) => Math.max(0, around.now - startOf(process, around));
/** Percent of one processor over its whole life. */
const load = (process: ProcessInfo, around: Surroundings) => {
  const lived = age(process, around);
  return lived < 0.01 ? 0 : (seconds(process) * 100) / lived;
};
const user = (name: string) => (name.length > 8 ? `${name.slice(0, 7)}+` : name);
const command: Value = ({ arguments: words, comm }) => (words.length > 0 ? words.join(" ") : `[${comm}]`);
const tty: Value = ({ tty }) => terminal(tty);
const euser: Value = ({ euid }, { userName }) => user(userName(euid));
const ruser: Value = ({ uid }, { userName }) => user(userName(uid));
const group: Value = ({ egid }, { groupName }) => user(groupName(egid));
const rgroup: Value = ({ gid }, { groupName }) => user(groupName(gid));
const percent: Value = (process, around) => load(process, around).toFixed(1);
const memory: Value = ({ resident }, around) =>
  Math.min(99.9, (resident * pageKiB * 1024 * 100) / around.memory).toFixed(1);
const resident: Value = (process) => process.resident * pageKiB;
const virtual: Value = ({ virtualSize }) => Math.floor(virtualSize / 1024);
const flags: Value = (process) => (Math.floor(process.flags / 64) & 7).toString(8);
const time: Value = (process) => cpuTime(seconds(process));
const wchan: Value = ({ waitsIn }) => waitsIn.slice(0, 6);

function column(heading: string, value: Value): Column {
  return { heading, value };
}

/** `ps -o` by name, with ps's headings; those that share a value are listed with all their names. */
const table: readonly (readonly [names: string, heading: string, value: Value])[] = [
  ["pid tgid", "PID", ({ pid }) => pid],
  ["ppid", "PPID", ({ ppid }) => ppid],
  ["pgid pgrp", "PGID", ({ pgrp }) => pgrp],
  ["sid sess session", "SID", ({ session }) => session],
  ["tpgid", "TPGID", ({ tpgid }) => tpgid],
  ["user uname", "USER", euser],
  ["euser", "EUSER", euser],
  ["ruser", "RUSER", ruser],
  ["uid", "UID", ({ euid }) => euid],
  ["euid", "EUID", ({ euid }) => euid],
  ["ruid", "RUID", ({ uid }) => uid],
  ["group", "GROUP", group],
  ["egroup", "EGROUP", group],
  ["rgroup", "RGROUP", rgroup],
  ["gid", "GID", ({ egid }) => egid],
  ["egid", "EGID", ({ egid }) => egid],
  ["rgid", "RGID", ({ gid }) => gid],
  ["comm ucmd ucomm", "COMMAND", ({ comm }) => comm],
  ["args command", "COMMAND", command],
  ["cmd", "CMD", command],
  ["stat", "STAT", statusText],
  ["s state", "S", ({ state }) => state],
  ["tname", "TTY", tty],
  ["tty tt", "TT", tty],
  ["time cputime", "TIME", time],
  ["bsdtime", "TIME", (process) => bsdTime(seconds(process))],
  ["c", "C", (process, around) => Math.min(99, Math.floor(load(process, around)))],
  ["pcpu %cpu", "%CPU", percent],
  ["pmem %mem", "%MEM", memory],
  ["vsz vsize", "VSZ", virtual],
  ["rss rssize", "RSS", resident],
  ["rsz", "RSZ", resident],
  ["sz", "SZ", ({ virtualSize }) => Math.floor(virtualSize / 1024 / pageKiB)],
  ["ni nice", "NI", ({ nice }) => nice],
  ["pri", "PRI", ({ priority }) => 39 - (priority + 20)],
  ["opri intpri", "PRI", ({ priority }) => 60 + priority],
  ["nlwp thcount", "NLWP", ({ threads }) => threads],
  ["psr", "PSR", ({ processor }) => processor],
  ["f flag flags", "F", flags],
  ["wchan", "WCHAN", wchan],
  ["stime", "STIME", (process, around) => startTime(startOf(process, around), around.now)],
  ["bsdstart", "START", (process, around) => bsdStart(startOf(process, around), around.now)],
  ["start", "STARTED", (process, around) => started(startOf(process, around), around.now)],
  ["lstart", "STARTED", (process, around) => longStart(startOf(process, around))],
  ["etime", "ELAPSED", (process, around) => elapsed(age(process, around))],
  ["etimes", "ELAPSED", (process, around) => Math.floor(age(process, around))],
];

const columns = new Map(
  table.flatMap(([names, heading, value]) => names.split(" ").map((name) => [name, column(heading, value)] as const)),
);

/** The column that `ps -o NAME` shows; undefined when there is none. */
export function columnOf(name: string): Column | undefined {
  return columns.get(name.toLowerCase());
}

/** A layout's columns by name; "name=HEADING" has a heading of its own. */
export function layoutOf(names: string): Column[] {
  return names.split(" ").flatMap((text) => {
    const [name = "", heading] = text.split("=");
    const found = name === "addr" ? column("ADDR", () => "-") : columnOf(name);
    return found === undefined ? [] : [heading === undefined ? found : { ...found, heading }];
  });
}

/** The state and what ps(1) adds to it: "Ss+". */
function statusText(process: ProcessInfo): string {
  const { state, nice, lockedMemory, session, pid, threads, pgrp, tpgid } = process;
  const marks: readonly (readonly [boolean, string])[] = [
    [nice < 0, "<"],
    [nice > 0, "N"],
    [lockedMemory, "L"],
    [session === pid, "s"],
    [threads > 1, "l"],
    [tpgid > 0 && pgrp === tpgid, "+"],
  ];
  return state + marks.flatMap(([holds, mark]) => (holds ? [mark] : [])).join("");
}

/** The name of a terminal by its device number: "pts/0", "tty1", "?" for none. */
function terminal(device: number): string {
  const major = (device >> 8) & 0xfff;
  const minor = (device & 0xff) | ((device >>> 12) & 0xfff00);
  if (major >= 136 && major <= 143) return `pts/${minor + (major - 136) * 256}`;
  if (major === 4) return minor < 64 ? `tty${minor}` : `ttyS${minor - 64}`;
  return "?";
}
