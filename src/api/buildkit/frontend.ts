import type { Sent } from "../grpc/schema.ts";
import { codes, RpcError } from "../grpc/status.ts";
import type { Frontend } from "./jobs.ts";
import type { Definition } from "./messages/control.ts";
import { resultIn } from "./results.ts";

interface Request {
  readonly frontend: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly inputs: ReadonlyMap<string, Sent<typeof Definition>>;
  readonly definition: unknown;
}

const remedy =
  "Sampan builds Dockerfiles by itself; build a graph (LLB) with a builder of buildx's own: docker buildx create";

/** Takes a request to the Dockerfile's frontend, by whatever name; any other is refused. */
export function checkFrontend({ frontend, attributes, inputs }: Request): Frontend {
  const results = new Map([...inputs].map(([name, graph]) => [name, resultOf(name, graph)]));
  // buildx before 0.16 leaves BUILDKIT_SYNTAX to the frontend.
  const [syntax] = (attributes.get("build-arg:BUILDKIT_SYNTAX") ?? "").trim().split(" ");
  const source = attributes.get("source") || syntax || "";
  const own = frontend === "dockerfile.v0" && (source === "" || isDockerfile(source));
  if (own || (frontend === "gateway.v0" && isDockerfile(source))) return { attributes, inputs: results };
  const what = frontend === "" ? "without a frontend" : `with the frontend ${source || frontend}`;
  throw new RpcError(codes.unimplemented, `Cannot solve ${what}: ${remedy}`);
}

/** The result of another build that an input stands for. */
function resultOf(name: string, graph: Sent<typeof Definition>): string {
  const result = resultIn(graph);
  if (result !== undefined) return result;
  throw new RpcError(codes.unimplemented, `Cannot take ${name} from a graph (LLB): ${remedy}`);
}

/** docker/dockerfile:1 and its relatives, which `# syntax=` and BUILDKIT_SYNTAX name: what they read is built in. */
function isDockerfile(source: string): boolean {
  return /^(?:(?:docker\.io|registry-1\.docker\.io)\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/.test(source);
}
