import { digestOf } from "../../storage/digest.ts";
import { decode } from "../grpc/decode.ts";
import { encode } from "../grpc/encode.ts";
import { int, message, optional, repeated, type Sent, text } from "../grpc/schema.ts";
import type { Definition } from "./messages/control.ts";

/** pb.Op, as far as it takes for what stands for a result. */
const Operation = message("Op", {
  inputs: repeated(1, message("Input", { digest: text(1), index: int(2) })),
  source: optional(3, message("SourceOp", { identifier: text(1) })),
});

const scheme = "sampan-result://";

/**
 * A graph that stands for the result of a build: buildx hands it to builds that name that result as a context (`target:` of bake).
 * Two operations, of which the second only says that the first is what is meant.
 */
export function definitionOf(id: string): Sent<typeof Definition> {
  const source = encode(Operation, { source: { identifier: `${scheme}${id}` } });
  const end = encode(Operation, { inputs: [{ digest: digestOf(source), index: 0 }] });
  const metadata = [source, end].map((operation) => [digestOf(operation), {}] as const);
  return { operations: [source, end], metadata: new Map(metadata) };
}

/** The result that a graph stands for; undefined: it is another one. */
export function resultIn({ operations = [] }: Sent<typeof Definition>): string | undefined {
  const found = operations.map((bytes) => decode(Operation, bytes).source?.identifier ?? "");
  return found.find((identifier) => identifier.startsWith(scheme))?.slice(scheme.length);
}
