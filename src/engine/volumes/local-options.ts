import { SampanError } from "../../errors/index.ts";
import * as f from "../../kernel/flags.ts";

type Options = Readonly<Record<string, string>>;

const known = ["type", "o", "device"];
const needed: readonly (readonly [option: string, wants: readonly string[]])[] = [
  ["device", ["type"]],
  ["type", ["device"]],
  ["o", ["device", "type"]],
];

/** Refuses what the local driver does not take, with dockerd's texts. */
export function checkLocalOptions(options: Options): void {
  for (const name of Object.keys(options)) {
    if (name === "size") throw invalid("quota size requested but no quota support");
    if (!known.includes(name)) throw invalid(`invalid option: ${JSON.stringify(name)}`);
  }
  for (const [option, wants] of needed) {
    if (!options[option]) continue;
    const missing = wants.find((want) => !options[want]);
    if (missing !== undefined) throw invalid(`missing required option: ${JSON.stringify(missing)}`);
  }
}

/** What mount(2) is given for a volume with options. */
export interface LocalMount {
  readonly type: string;
  readonly device: string;
  readonly flags: number;
  readonly data: string;
}

/** Words of `o` that are flags of mount(2): set, or taken away. */
const flagWords: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  defaults: [0, 0],
  ro: [f.MS_RDONLY, 0],
  rw: [0, f.MS_RDONLY],
  suid: [0, f.MS_NOSUID],
  nosuid: [f.MS_NOSUID, 0],
  dev: [0, f.MS_NODEV],
  nodev: [f.MS_NODEV, 0],
  exec: [0, f.MS_NOEXEC],
  noexec: [f.MS_NOEXEC, 0],
  sync: [f.MS_SYNCHRONOUS, 0],
  async: [0, f.MS_SYNCHRONOUS],
  dirsync: [f.MS_DIRSYNC, 0],
  remount: [f.MS_REMOUNT, 0],
  mand: [f.MS_MANDLOCK, 0],
  nomand: [0, f.MS_MANDLOCK],
  atime: [0, f.MS_NOATIME],
  noatime: [f.MS_NOATIME, 0],
  diratime: [0, f.MS_NODIRATIME],
  nodiratime: [f.MS_NODIRATIME, 0],
  bind: [f.MS_BIND, 0],
  rbind: [f.MS_BIND | f.MS_REC, 0],
  relatime: [f.MS_RELATIME, 0],
  norelatime: [0, f.MS_RELATIME],
  strictatime: [f.MS_STRICTATIME, 0],
  nostrictatime: [0, f.MS_STRICTATIME],
};

/** The mount that options ask for; undefined when the volume is a plain directory. `resolve` finds a server's address. */
export async function localMount(
  options: Options,
  resolve: (host: string) => Promise<string>,
): Promise<LocalMount | undefined> {
  const { type = "", device = "", o = "" } = options;
  if (device === "") return undefined;
  let flags = 0;
  const data: string[] = [];
  for (const word of o.split(",").filter((part) => part !== "")) {
    const change = Object.hasOwn(flagWords, word) ? flagWords[word] : undefined;
    if (change === undefined) data.push(await withAddress(word, type, resolve));
    else flags = (flags | change[0]) & ~change[1];
  }
  return { type, device, flags, data: data.join(",") };
}

/** The kernel's NFS and CIFS want addresses, people write names. */
async function withAddress(word: string, type: string, resolve: (host: string) => Promise<string>): Promise<string> {
  if (!/^(nfs4?|cifs)$/.test(type) || !word.startsWith("addr=")) return word;
  return `addr=${await resolve(word.slice("addr=".length))}`;
}

function invalid(message: string): SampanError {
  return new SampanError("invalid", message);
}
