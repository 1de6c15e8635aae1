import { bool, bytesMap, int, mapOf, message, optional, repeated, text, textMap } from "../../grpc/schema.ts";
import { Status } from "../../grpc/status.ts";
import { CacheEntry, Definition } from "./control.ts";

/** Messages of moby.buildkit.v1.frontend.LLBBridge, those of their fields that are used. */

export const PingRequest = message("PingRequest", {});
const Capability = message("APICap", { id: text(1), enabled: bool(2) });
export const PongResponse = message("PongResponse", {
  frontend: repeated(1, Capability),
  graph: repeated(2, Capability),
});

export const SolveRequest = message("SolveRequest", {
  definition: optional(1, Definition),
  frontend: text(2),
  attributes: textMap(3),
  final: bool(10),
  cacheImports: repeated(12, CacheEntry),
  inputs: mapOf(13, Definition),
  evaluate: bool(14),
});

const Ref = message("Ref", { id: text(1), definition: optional(2, Definition) });
const Refs = message("RefMap", { refs: mapOf(1, Ref) });
const Result = message("Result", { ref: optional(3, Ref), refs: optional(4, Refs), metadata: bytesMap(10) });

export const SolveResponse = message("SolveResponse", { ref: text(1), result: optional(3, Result) });

export const ReturnRequest = message("ReturnRequest", { result: optional(1, Result), error: optional(2, Status) });
export const ReturnResponse = message("ReturnResponse", {});

export const InputsRequest = message("InputsRequest", {});
export const InputsResponse = message("InputsResponse", { definitions: mapOf(1, Definition) });

export const EvaluateRequest = message("EvaluateRequest", { ref: text(1) });

export const WarnRequest = message("WarnRequest", { digest: text(1), level: int(2) });
