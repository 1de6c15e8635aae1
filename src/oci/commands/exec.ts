import { readFileSync } from "node:fs";
import { SampanError } from "../../errors/index.ts";
import { numberOption, type Options } from "../arguments.ts";
import { type OciProcess, processShape } from "../config/process.ts";
import { parse } from "../config/shape.ts";
import type { Context } from "../context.ts";
import { execInContainer } from "../life/exec.ts";
import { statusOf } from "../state/status.ts";
import type { ContainerRecord } from "../state/store.ts";
import { command, idOf } from "./command.ts";

const options = {
  "console-socket": { kind: "text", help: "a Unix socket that is sent the terminal's master" },
  cwd: { kind: "text", help: "the working directory" },
  env: { kind: "texts", short: "e", help: "NAME=value, set besides the container's" },
  tty: { kind: "flag", short: "t", help: "with a terminal" },
  user: { kind: "text", short: "u", help: "UID or UID:GID" },
  "additional-gids": { kind: "texts", short: "g", help: "one more group" },
  process: { kind: "text", short: "p", help: "a file with the process as JSON, in place of all other options" },
  detach: { kind: "flag", short: "d", help: "do not wait for its end" },
  "pid-file": { kind: "text", help: "a file to write the process id to" },
  "process-label": { kind: "text", help: "its SELinux label" },
  apparmor: { kind: "text", help: "its AppArmor profile" },
  "no-new-privs": { kind: "flag", help: "the process may gain no rights" },
  cap: { kind: "texts", short: "c", help: "one more capability" },
  "preserve-fds": { kind: "text", help: "how many descriptors from 3 on are passed on" },
  cgroup: { kind: "texts", help: "a cgroup below the container's, which is there" },
  "ignore-paused": { kind: "flag", help: "even if the container is paused" },
} as const;

export const exec = command({
  name: "exec",
  usage: "[options] CONTAINER COMMAND [args]",
  help: "run one more process in a container",
  options,
  words: [1, Number.POSITIVE_INFINITY],
  run: async (context, given, words) => {
    const record = context.store.read(idOf(words));
    refuseStatus(context, record, given["ignore-paused"]);
    const bundle = context.store.bundleOf(record);
    const process = processFor(given, words.slice(1), bundle.config.process);
    return execInContainer(context, record, {
      process,
      linux: bundle.config.linux,
      consoleSocket: given["console-socket"],
      pidFile: given["pid-file"],
      detach: given.detach,
      preserveFds: numberOption(given["preserve-fds"], "preserve-fds"),
      cgroup: cgroupOf(given.cgroup),
    });
  },
});

function refuseStatus({ store }: Context, record: ContainerRecord, ignorePaused: boolean): void {
  const status = statusOf(store, record);
  if (status === "stopped") throw new SampanError("conflict", "cannot exec in a stopped container");
  if (status === "creating") throw new SampanError("conflict", "cannot exec in a container that is being created");
  if (status === "paused" && !ignorePaused)
    throw new SampanError("conflict", "cannot exec in a paused container (use --ignore-paused to override)");
}

/** What the options make of the container's own process, or the one of `--process`. */
function processFor(given: Options<typeof options>, args: readonly string[], own: OciProcess | undefined): OciProcess {
  if (given.process !== undefined) return parse(readFileSync(given.process, "utf8"), processShape, given.process);
  if (args.length === 0) throw new SampanError("invalid", "process args cannot be empty");
  if (own === undefined) throw new SampanError("invalid", "the container has no process to take after: use --process");
  return {
    ...own,
    args,
    terminal: given.tty,
    cwd: given.cwd ?? own.cwd,
    env: [...own.env, ...given.env],
    user: userFor(given, own),
    noNewPrivileges: given["no-new-privs"] || own.noNewPrivileges,
    capabilities: capabilitiesFor(given.cap, own),
    apparmorProfile: given.apparmor ?? own.apparmorProfile,
    selinuxLabel: given["process-label"] ?? own.selinuxLabel,
  };
}

function userFor(given: Options<typeof options>, own: OciProcess): OciProcess["user"] {
  const gids = given["additional-gids"].map((text) => numberOption(text, "additional-gids") ?? 0);
  const user = { ...own.user, additionalGids: [...own.user.additionalGids, ...gids] };
  if (given.user === undefined) return user;
  const match = /^(\d+)(?::(\d+))?$/.exec(given.user);
  if (match === null) throw new SampanError("invalid", `--user: ${given.user} is not UID or UID:GID`);
  return { ...user, uid: Number(match[1]), gid: match[2] === undefined ? user.gid : Number(match[2]) };
}

/** As in runc: into every set but the ambient one, which takes only what is inheritable. */
function capabilitiesFor(added: readonly string[], own: OciProcess): OciProcess["capabilities"] {
  const sets = own.capabilities;
  if (added.length === 0) return sets;
  const more = (names: readonly string[] | undefined) => [...(names ?? []), ...added];
  return {
    bounding: more(sets?.bounding),
    effective: more(sets?.effective),
    permitted: more(sets?.permitted),
    inheritable: sets?.inheritable,
    ambient: sets?.ambient,
  };
}

function cgroupOf(given: readonly string[]): string {
  const [path = "", another] = given;
  if (another !== undefined || path.includes(":"))
    throw new SampanError("unsupported", "--cgroup by controller is not supported: name one cgroup for all");
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new SampanError("invalid", `--cgroup: ${path} is not below the container's cgroup`);
  return parts.map((part) => `/${part}`).join("");
}
