/** Sampan as a library: see docs/library.md. `SampanClient` is the daemon's API call by call, below what `connect` gives. */
export type * from "../api/shapes/build.ts";
export type * from "../api/shapes/container.ts";
export type * from "../api/shapes/disk-usage.ts";
export type * from "../api/shapes/exec.ts";
export type * from "../api/shapes/image.ts";
export type * from "../api/shapes/network.ts";
export type * from "../api/shapes/registry.ts";
export type * from "../api/shapes/secret.ts";
export type * from "../api/shapes/stats.ts";
export type * from "../api/shapes/system.ts";
export type * from "../api/shapes/volume.ts";
export { type ErrorKind, SampanError } from "../errors/index.ts";
export { ApiError } from "./api-error.ts";
export type { BuildImage, Builds } from "./builds.ts";
export { type ClientOptions, type EventOptions, SampanClient } from "./client.ts";
export type { AttachContainer, ContainerLogs, Containers, ListContainers, WaitCondition } from "./containers.ts";
export type { Execs } from "./execs.ts";
export type { Files } from "./files.ts";
export { FrameDecoder, type StreamId } from "./frames.ts";
export { copyInput, copyOutput, type Hijacked, type Outputs } from "./hijack.ts";
export type { Images, ListImages, PullImage } from "./images.ts";
export { BuildError, type BuildOptions, type BuiltImage } from "./library/build.ts";
export {
  Container,
  type CopyOptions,
  type ExecOptions,
  type Process,
  type Result,
} from "./library/container.ts";
export type { LogLine, LogOptions } from "./library/logs.ts";
export type { Cancellable, ContainerOptions, PortOption } from "./library/options.ts";
export { type ConnectOptions, connect, type PullOptions, Sampan } from "./library/sampan.ts";
export type { Input, Output, Streams } from "./library/streams.ts";
export type { Networks } from "./networks.ts";
export type { RegistryService, ServeImages } from "./registry.ts";
export type { Secrets } from "./secrets.ts";
export type { Volumes } from "./volumes.ts";
