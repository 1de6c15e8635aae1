import { SampanError } from "../../errors/index.ts";
import type { ContainerTmpfs } from "./types.ts";

type Options = ContainerTmpfs["options"];

/** What `--tmpfs` means without options: no programs, no set-user-id, no devices. */
export const defaultTmpfs: Options = { mode: 0o1777, exec: false, suid: false, dev: false };

const units: Readonly<Record<string, number>> = { "": 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

const flags: Readonly<Record<string, Partial<Options>>> = {
  exec: { exec: true },
  noexec: { exec: false },
  suid: { suid: true },
  nosuid: { suid: false },
  dev: { dev: true },
  nodev: { dev: false },
  // Atime policies and the like do not show on a file system in memory.
  defaults: {},
  rw: {},
  ro: {},
  async: {},
  atime: {},
  noatime: {},
  relatime: {},
  norelatime: {},
  strictatime: {},
  nostrictatime: {},
  diratime: {},
  nodiratime: {},
  private: {},
  rprivate: {},
};

/** Reads the options of `--tmpfs /path:size=64m,exec` (tmpfs(5), mount(8)). Throws `invalid` with dockerd's text. */
export function parseTmpfs(text: string): { readonly options: Options; readonly readOnly: boolean } {
  const words = text.split(",").filter((word) => word !== "");
  const options: Options = Object.assign({}, defaultTmpfs, ...words.map(parseWord));
  return { options, readOnly: words.includes("ro") };
}

function parseWord(word: string): Partial<Options> {
  const flag = Object.hasOwn(flags, word) ? flags[word] : undefined;
  if (flag !== undefined) return flag;
  const [, name = "", value = ""] = /^(\w+)=(\w+)$/.exec(word) ?? [];
  if (name === "size") return { size: bytes(value, word) };
  if (name === "mode" && /^[0-7]{1,5}$/.test(value)) return { mode: Number.parseInt(value, 8) };
  if ((name === "uid" || name === "gid") && /^\d+$/.test(value)) return { [name]: Number(value) };
  throw new SampanError("invalid", `invalid tmpfs option ${JSON.stringify(word)}`);
}

function bytes(value: string, word: string): number {
  const [, digits = "", unit = ""] = /^(\d+)([kmg]?)$/i.exec(value) ?? [];
  const factor = units[unit.toLowerCase()];
  if (digits === "" || factor === undefined)
    throw new SampanError("invalid", `invalid tmpfs option ${JSON.stringify(word)}`);
  return Number(digits) * factor;
}
