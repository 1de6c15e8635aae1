import { DockerfileError } from "../dockerfile/index.ts";
import { isHost } from "./host.ts";
import type { Plan, Vertex } from "./types.ts";

/** What a Dockerfile gets only when its build says so: whoever builds another's file need not have read it. */
export type Entitlement = "network.host" | "security.insecure" | "files.host";

/** Refuses instructions that want more than the build allows. `network` is that of commands that name none. */
export function checkEntitlements(plan: Plan, allowed: ReadonlySet<Entitlement>, network: string): void {
  for (const { vertex, range } of plan.steps) {
    const step = vertex === undefined ? undefined : plan.vertices[vertex];
    const [missing] = step === undefined ? [] : wantedBy(plan, step, network).filter((one) => !allowed.has(one));
    if (missing === undefined) continue;
    const text = `${missing} is not allowed: it reaches the machine; if the file is to be trusted, build with --allow ${missing}`;
    throw new DockerfileError(text, plan.source, range);
  }
}

function wantedBy(plan: Plan, vertex: Vertex, usual: string): Entitlement[] {
  if (vertex.kind === "copy")
    return vertex.sources.some((one) => one.kind === "path" && isHost(plan, one.from)) ? ["files.host"] : [];
  if (vertex.kind !== "run") return [];
  const { security, network } = vertex;
  return [
    ...(security === "insecure" ? (["security.insecure"] as const) : []),
    ...(network === "host" && usual !== "host" ? (["network.host"] as const) : []),
  ];
}
