/** Sampan as a library: a typed client of the daemon's API, which starts the daemon when none answers. */
export type * from "../api/shapes/container.ts";
export type * from "../api/shapes/exec.ts";
export type * from "../api/shapes/image.ts";
export type * from "../api/shapes/network.ts";
export type * from "../api/shapes/stats.ts";
export type * from "../api/shapes/system.ts";
export { SampanError } from "../errors/index.ts";
export { ApiError } from "./api-error.ts";
export { type ClientOptions, SampanClient } from "./client.ts";
export type { AttachContainer, ContainerLogs, Containers, ListContainers, WaitCondition } from "./containers.ts";
export type { Execs } from "./execs.ts";
export { FrameDecoder, type StreamId } from "./frames.ts";
export { copyInput, copyOutput, type Hijacked, type Outputs } from "./hijack.ts";
export type { Images, ListImages, PullImage } from "./images.ts";
export type { Networks } from "./networks.ts";
