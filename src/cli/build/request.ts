import type { BuildImage, BuildSettings } from "../../client/builds.ts";
import { invalid } from "../errors.ts";
import type { ValuesOf } from "../options.ts";
import { parseLabel } from "../parsing/key-value.ts";
import { parseCache } from "./caches.ts";
import type { buildFlags } from "./flags.ts";
import { type Output, requestedOutputs } from "./outputs.ts";
import { agentSockets, readSecrets } from "./secrets.ts";

export type BuildValues = ValuesOf<typeof buildFlags>;

type Environment = Readonly<Record<string, string | undefined>>;

const calls = ["build", "check", "outline", "targets"];

/** What the daemon is asked for, but for the context. */
export function buildRequest(values: BuildValues, output: Output, env: Environment): BuildImage {
  const names = [...values.tag, ...(output.kind === "image" ? output.names : [])];
  return {
    t: [...new Set(names)],
    buildargs: buildArguments(values["build-arg"], env),
    labels: Object.fromEntries(values.label.map(parseLabel)),
    target: values.target,
    platform: values.platform.length > 0 ? values.platform.join(",") : undefined,
    nocache: values["no-cache"],
    nocachefilter: some(values["no-cache-filter"].flatMap((names) => names.split(","))),
    pull: values.pull,
    networkmode: values.network,
    allow: values.allow,
    extrahosts: values["add-host"],
    ulimits: some(values.ulimit),
    memory: values.memory,
    memswap: values["memory-swap"],
    shmsize: values["shm-size"],
    cpushares: values["cpu-shares"],
    cpuperiod: values["cpu-period"],
    cpuquota: values["cpu-quota"],
    cpusetcpus: values["cpuset-cpus"],
    cpusetmems: values["cpuset-mems"],
    cgroupparent: values["cgroup-parent"],
    outputs: requestedOutputs(output),
    cachefrom: some(values["cache-from"].map((text) => parseCache(text, "src"))),
    cacheto: some(values["cache-to"].map((text) => parseCache(text, "dest"))),
    call: callOf(values),
  };
}

function some<Value>(values: readonly Value[]): readonly Value[] | undefined {
  return values.length > 0 ? values : undefined;
}

/** What is to be told about the file instead of building it; undefined to build it. */
export function callOf({ call, check }: Pick<BuildValues, "call" | "check">): string | undefined {
  const method = check ? "check" : (call?.split(",")[0] ?? "build");
  const known = method === "lint" ? "check" : method;
  if (!calls.includes(known)) throw invalid(`unsupported call method: ${method}`);
  return known === "build" ? undefined : known;
}

/** `NAME=value`, or `NAME`: the caller's value; null when the caller has none. */
function buildArguments(texts: readonly string[], env: Environment): Record<string, string | null> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf("=");
      const name = at < 0 ? text : text.slice(0, at);
      if (name === "") throw invalid(`invalid build argument: "${text}"`);
      return [name, at < 0 ? (env[name] ?? null) : text.slice(at + 1)];
    }),
  );
}

/** `--build-context`: directories of this machine, and everything else. */
export function namedContexts(texts: readonly string[]): {
  readonly directories: Readonly<Record<string, string>>;
  readonly others: Readonly<Record<string, string>>;
} {
  const directories: Record<string, string> = {};
  const others: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf("=");
    if (at < 1) throw invalid(`invalid context value: ${text}, expected key=value`);
    const name = text.slice(0, at).toLowerCase();
    const value = text.slice(at + 1);
    (/^(?:[a-z][a-z0-9+.-]*:\/\/|git@)/.test(value) ? others : directories)[name] = value;
  }
  return { directories, others };
}

/** Secrets, agents and contexts: what goes into no URL. */
export function buildSettings(values: BuildValues, env: Environment): BuildSettings {
  const { directories, others } = namedContexts(values["build-context"]);
  const contexts = { ...others, ...Object.fromEntries(Object.keys(directories).map((name) => [name, "local"])) };
  return {
    ...(values.secret.length > 0 && { secrets: readSecrets(values.secret, env) }),
    ...(values.ssh.length > 0 && { ssh: agentSockets(values.ssh, env) }),
    ...(Object.keys(contexts).length > 0 && { contexts }),
  };
}
