import { SampanError } from "../../errors/index.ts";
import { isHostReference } from "../../images/host.ts";
import { DockerfileError } from "../dockerfile/index.ts";
import type { Plan, Vertex, VertexId } from "./types.ts";

/** Whether a vertex is the machine's own root file system, `sampan/host`. */
export function isHost({ vertices }: Pick<Plan, "vertices">, id: VertexId): boolean {
  const vertex = vertices[id];
  return vertex?.kind === "image" && isHostReference(vertex.reference);
}

/**
 * Refuses what cannot be done with the machine's own root file system: files are copied from it, and nothing else. A layer
 * on it would be differences to something that no other machine has and that changes by itself; overlayfs does not stack
 * one on "/" either when it lies on the same file system (see storage/snapshots/host.ts).
 */
export function checkHostUse(plan: Plan): void {
  for (const { vertex, range } of plan.steps) {
    const step = vertex === undefined ? undefined : plan.vertices[vertex];
    const text = step === undefined ? undefined : refusalOf(plan, step);
    if (text !== undefined) throw new DockerfileError(text, plan.source, range);
  }
  if (plan.results.some(({ vertex }) => isHost(plan, vertex)))
    throw new SampanError("unsupported", `Cannot make an image of sampan/host: ${remedy}`);
}

const remedy = "it is this machine, not layers; copy what is needed of it with COPY --from=sampan/host";

function refusalOf(plan: Plan, vertex: Vertex): string | undefined {
  if ("parent" in vertex && isHost(plan, vertex.parent)) return `no layer can be put on sampan/host: ${remedy}`;
  if (vertex.kind !== "run") return undefined;
  const sources = vertex.mounts.map((mount) => {
    if (mount.type === "bind") return mount.from;
    return mount.type === "cache" ? mount.begin?.from : undefined;
  });
  const mounted = sources.some((from) => from !== undefined && isHost(plan, from));
  return mounted ? `sampan/host cannot be mounted: ${remedy}` : undefined;
}
