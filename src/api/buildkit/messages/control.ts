import {
  bool,
  byteStrings,
  bytes,
  int,
  mapOf,
  message,
  optional,
  repeated,
  text,
  textMap,
  texts,
} from "../../grpc/schema.ts";

/** Messages of moby.buildkit.v1.Control, those of their fields that are used. */

export const Timestamp = message("Timestamp", { seconds: int(1), nanos: int(2) });

export const Platform = message("Platform", { architecture: text(1), os: text(2), variant: text(3) });

export const Version = message("BuildkitVersion", { package: text(1), version: text(2), revision: text(3) });

const Worker = message("WorkerRecord", {
  id: text(1),
  labels: textMap(2),
  platforms: repeated(3, Platform),
  version: optional(5, Version),
});

export const ListWorkersRequest = message("ListWorkersRequest", { filter: texts(1) });
export const ListWorkersResponse = message("ListWorkersResponse", { record: repeated(1, Worker) });

export const InfoRequest = message("InfoRequest", {});
export const InfoResponse = message("InfoResponse", { version: optional(1, Version) });

export const CacheEntry = message("CacheOptionsEntry", { type: text(1), attributes: textMap(2) });

const CacheOptions = message("CacheOptions", { exports: repeated(4, CacheEntry), imports: repeated(5, CacheEntry) });

export const Exporter = message("Exporter", { type: text(1), attributes: textMap(2) });

/** pb.Definition, a graph. */
export const Definition = message("Definition", {
  operations: byteStrings(1),
  metadata: mapOf(2, message("OpMetadata", { ignoreCache: bool(1) })),
});

export const SolveRequest = message("SolveRequest", {
  ref: text(1),
  definition: optional(2, Definition),
  exporter: text(3),
  exporterAttributes: textMap(4),
  session: text(5),
  frontend: text(6),
  attributes: textMap(7),
  cache: optional(8, CacheOptions),
  entitlements: texts(9),
  inputs: mapOf(10, Definition),
  internal: bool(11),
  sourcePolicy: optional(12, message("Policy", { version: int(1) })),
  exporters: repeated(13, Exporter),
  sessionExporter: bool(14),
  sourcePolicySession: text(15),
  proxyNetwork: bool(17),
});
export const SolveResponse = message("SolveResponse", { exporterResponse: textMap(1) });

export const StatusRequest = message("StatusRequest", { ref: text(1) });

export const Vertex = message("Vertex", {
  digest: text(1),
  inputs: texts(2),
  name: text(3),
  cached: bool(4),
  started: optional(5, Timestamp),
  completed: optional(6, Timestamp),
  error: text(7),
});

export const VertexStatus = message("VertexStatus", {
  id: text(1),
  vertex: text(2),
  name: text(3),
  current: int(4),
  total: int(5),
  timestamp: optional(6, Timestamp),
  started: optional(7, Timestamp),
  completed: optional(8, Timestamp),
});

export const VertexLog = message("VertexLog", {
  vertex: text(1),
  timestamp: optional(2, Timestamp),
  stream: int(3),
  message: bytes(4),
});

const Position = message("Position", { line: int(1), character: int(2) });
const Range = message("Range", { start: optional(1, Position), end: optional(2, Position) });
const SourceInfo = message("SourceInfo", { filename: text(1), data: bytes(2), language: text(4) });

export const VertexWarning = message("VertexWarning", {
  vertex: text(1),
  level: int(2),
  short: bytes(3),
  detail: byteStrings(4),
  url: text(5),
  info: optional(6, SourceInfo),
  ranges: repeated(7, Range),
});

export const StatusResponse = message("StatusResponse", {
  vertexes: repeated(1, Vertex),
  statuses: repeated(2, VertexStatus),
  logs: repeated(3, VertexLog),
  warnings: repeated(4, VertexWarning),
});

export const DiskUsageRequest = message("DiskUsageRequest", { filter: texts(1), ageLimit: int(2) });

export const UsageRecord = message("UsageRecord", {
  id: text(1),
  mutable: bool(2),
  inUse: bool(3),
  size: int(4),
  createdAt: optional(6, Timestamp),
  lastUsedAt: optional(7, Timestamp),
  usageCount: int(8),
  description: text(9),
  recordType: text(10),
  shared: bool(11),
  parents: texts(12),
});
export const DiskUsageResponse = message("DiskUsageResponse", { record: repeated(1, UsageRecord) });

export const PruneRequest = message("PruneRequest", {
  filter: texts(1),
  all: bool(2),
  keepDuration: int(3),
  reservedSpace: int(4),
  maxUsedSpace: int(5),
  minFreeSpace: int(6),
});
