import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Where everything of one daemon lives. All paths are absolute; nothing is created by naming them. */
export interface Layout {
  /** Durable state. */
  readonly root: string;
  /** Sockets and the pid file; gone after a reboot. */
  readonly run: string;
  readonly stateDb: string;
  /** An OCI image layout directory. */
  readonly content: string;
  readonly layers: string;
  readonly containers: string;
  readonly volumes: string;
  /** Scratch files, on the file system of `root`. */
  readonly tmp: string;
  readonly apiSocket: string;
  readonly executorSocket: string;
  readonly pidFile: string;
  /**
   * Tells daemons of different roots apart in names the machine shares (cgroups, links, tables): "" for the default
   * root, else "-" and six hex digits of the root's hash.
   */
  readonly suffix: string;
}

/** What the layout depends on besides the options; tests give their own. */
export interface LayoutSurroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly uid: number;
  readonly home: string;
}

/** The process's own. Root needs no home, and node:os takes a millisecond to load. */
const machine: LayoutSurroundings = {
  env: process.env,
  uid: process.getuid?.() ?? 0,
  get home() {
    return homedir();
  },
};

/** The directories of DESIGN §6: options win over `SAMPAN_ROOT` and `SAMPAN_RUN`, those over the XDG defaults. */
export function layoutOf(
  options: { root?: string | undefined; run?: string | undefined } = {},
  around: LayoutSurroundings = machine,
): Layout {
  const usual = defaultRoot(around);
  const root = resolve(options.root || around.env.SAMPAN_ROOT || usual);
  const suffix = root === usual ? "" : `-${shortHash(root)}`;
  const run = resolve(options.run || around.env.SAMPAN_RUN || `${defaultRun(around)}${suffix}`);
  return {
    root,
    run,
    suffix,
    stateDb: join(root, "state.db"),
    content: join(root, "content"),
    layers: join(root, "layers"),
    containers: join(root, "containers"),
    volumes: join(root, "volumes"),
    tmp: join(root, "tmp"),
    apiSocket: join(run, "sampan.sock"),
    executorSocket: join(run, "executor.sock"),
    pidFile: join(run, "sampan.pid"),
  };
}

function defaultRoot(around: LayoutSurroundings): string {
  if (around.uid === 0) return "/var/lib/sampan";
  return resolve(around.env.XDG_DATA_HOME || join(around.home, ".local/share"), "sampan");
}

function defaultRun({ env, uid }: LayoutSurroundings): string {
  if (uid === 0) return "/run/sampan";
  return env.XDG_RUNTIME_DIR ? resolve(env.XDG_RUNTIME_DIR, "sampan") : join(tmpdir(), `sampan-${uid}`);
}

/** Six hex digits of FNV-1a. Every command computes this, and loading node:crypto would cost it 6 ms. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, "0").slice(-6);
}
