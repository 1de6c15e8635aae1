import { DockerfileError } from "../../build/dockerfile/index.ts";
import type { SourceFile, SourceRange } from "../../build/dockerfile/types.ts";
import { StepFailed } from "../../build/solve/errors.ts";
import { messageOf } from "../../errors/index.ts";
import { codes, type Detail, RpcError } from "../grpc/status.ts";

/** The error of a build as BuildKit's clients expect it: what failed in one line, and beside it where that is in the Dockerfile. */
export function asRpcError(error: unknown): unknown {
  if (error instanceof StepFailed) {
    const { source, range, cause } = error;
    return new RpcError(codes.unknown, messageOf(cause), { cause: error, details: [sourceDetail(source, range)] });
  }
  if (error instanceof DockerfileError) {
    const { source, range, reason } = error;
    return new RpcError(codes.unknown, reason, { cause: error, details: [sourceDetail(source, range)] });
  }
  return error;
}

/** errdefs.Source, of which clients make an excerpt. Details are JSON there. */
function sourceDetail({ name, lines }: SourceFile, { start, end }: SourceRange): Detail {
  const data = Buffer.from(lines.join("\n")).toString("base64");
  const range = { start: { line: start.line }, end: { line: end.line } };
  const source = { info: { filename: name, data, language: "Dockerfile" }, ranges: [range] };
  return { type_url: "github.com/moby/buildkit/errdefs.Source+json", value: Buffer.from(JSON.stringify(source)) };
}
