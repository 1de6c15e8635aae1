import { DockerfileError } from "../dockerfile/index.ts";
import type { Plan, RunVertex } from "./types.ts";

/** What a Dockerfile gets only when its build says so: whoever builds another's file need not have read it. */
export type Entitlement = "network.host" | "security.insecure";

/** Refuses commands that want more than the build allows. `network` is that of commands that name none. */
export function checkEntitlements(plan: Plan, allowed: ReadonlySet<Entitlement>, network: string): void {
  for (const { vertex, range } of plan.steps) {
    const run = vertex === undefined ? undefined : plan.vertices[vertex];
    const [missing] = run?.kind === "run" ? wantedBy(run, network).filter((one) => !allowed.has(one)) : [];
    if (missing === undefined) continue;
    const text = `${missing} is not allowed: it reaches the machine; if the file is to be trusted, build with --allow ${missing}`;
    throw new DockerfileError(text, plan.source, range);
  }
}

function wantedBy({ security, network }: RunVertex, usual: string): Entitlement[] {
  return [
    ...(security === "insecure" ? (["security.insecure"] as const) : []),
    ...(network === "host" && usual !== "host" ? (["network.host"] as const) : []),
  ];
}
