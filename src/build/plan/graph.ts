import type { ImageDefaults, Platform } from "../../images/types.ts";
import type { StageScope } from "../dockerfile/scope.ts";
import type { BaseImage, NeededImage, Plan, PlannedHistory, Step, Vertex, VertexId } from "./types.ts";

/** What a stage has come to. */
export interface StageState {
  readonly vertex: VertexId;
  readonly config: ImageDefaults;
  readonly author: string | undefined;
  readonly history: readonly PlannedHistory[];
  readonly base: BaseImage | undefined;
  readonly platform: Platform;
  /** Of a stage that others may continue. */
  readonly scope?: StageScope;
}

/** A graph that is being made: equal vertices are one. */
export class GraphBuilder {
  readonly vertices: Vertex[] = [];
  readonly steps: Step[] = [];
  readonly needed = new Map<string, NeededImage>();
  readonly #known = new Map<string, VertexId>();

  add(vertex: Vertex): VertexId {
    const text = JSON.stringify(vertex);
    const known = this.#known.get(text);
    if (known !== undefined) return known;
    const id = this.vertices.push(vertex) - 1;
    this.#known.set(text, id);
    return id;
  }

  need(image: NeededImage): void {
    const { reference, platform } = image;
    const key = JSON.stringify([reference, platform]);
    if (!this.needed.has(key)) this.needed.set(key, image);
  }
}

/** The contexts that something of the plan reads, by name. */
export function contextsOf({ vertices }: Pick<Plan, "vertices">): ReadonlySet<string> {
  const read = new Set(vertices.flatMap(readBy));
  return new Set(vertices.flatMap((vertex, id) => (vertex.kind === "context" && read.has(id) ? [vertex.name] : [])));
}

function readBy(vertex: Vertex): VertexId[] {
  if (vertex.kind === "copy") return vertex.sources.flatMap((source) => (source.kind === "path" ? [source.from] : []));
  if (vertex.kind !== "run") return [];
  return vertex.mounts.flatMap((mount) => {
    if (mount.type === "bind") return [mount.from];
    return mount.type === "cache" && mount.begin !== undefined ? [mount.begin.from] : [];
  });
}
