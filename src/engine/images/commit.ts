import { existsSync, unlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SampanError } from "../../errors/index.ts";
import type { ImageDefaults } from "../../images/types.ts";
import type { Reference } from "../../registry/types.ts";
import type { Digest } from "../../storage/digest.ts";
import { packTree, packTreeInto } from "../../storage/pack/pack.ts";
import { type ArchivePiece, areOnOneFileSystem } from "../../storage/pack/pieces.ts";
import { TreeReader } from "../../storage/pack/tree-reader.ts";
import { openUpper, upperOf } from "../archive/changes.ts";
import type { ContainerConfig } from "../config.ts";
import { containerEvent } from "../container/events.ts";
import type { Container } from "../container/live.ts";
import { pauseContainer, unpauseContainer } from "../container/pause.ts";
import { cgroupPathOf } from "../container/spec.ts";
import type { EngineParts } from "../parts.ts";
import type { CommitRequest } from "../types.ts";
import { applyChanges } from "./changes.ts";
import { imageEvent } from "./events.ts";

const what = "commit the changes";

/** Makes an image of what a container has changed. Answers the image's id. */
export async function commitContainer(
  parts: EngineParts,
  request: CommitRequest,
  reference: Reference | undefined,
): Promise<string> {
  const container = parts.registry.get(request.container);
  const { record } = container;
  const defaults = applyChanges(mergedDefaults(request.config ?? {}, defaultsOf(record.config)), request.changes);
  using _pinned = parts.registry.pin(record.imageId);
  const image = await container.lock.run(async () => {
    if (container.removed) throw new SampanError("not-found", `No such container: ${request.container}`);
    upperOf(parts, container, what);
    const resume = request.pause ? await pauseFor(parts, container) : undefined;
    try {
      return await parts.images.create({
        parent: record.imageId as Digest,
        // The container goes on as soon as its layer has been read.
        layer: (archive) => atEnd(changesOf(parts, container, archive), async () => resume?.()),
        platform: record.platform,
        defaults,
        author: request.author,
        history: {
          created_by: [record.path, ...record.args].join(" "),
          ...(request.author && { author: request.author }),
          ...(request.comment && { comment: request.comment }),
        },
        reference,
      });
    } finally {
      await resume?.();
    }
  });
  imageEvent(parts.events, "create", { id: image.id, name: image.id, image });
  const imageRef = reference?.familiar ?? "";
  if (reference !== undefined) imageEvent(parts.events, "tag", { id: image.id, name: imageRef, image });
  containerEvent(parts.events, container, "commit", { comment: request.comment, imageID: image.id, imageRef });
  return image.id;
}

/** Freezes a container that runs; the answer lets it go on, once. A note on the disk tells the next daemon to do so. */
async function pauseFor(parts: EngineParts, container: Container): Promise<(() => Promise<void>) | undefined> {
  if (container.state.status !== "running") return undefined;
  const note = noteOf(parts, container.id);
  writeFileSync(note, "");
  let paused = true;
  const resume = async () => {
    if (!paused) return;
    paused = false;
    // It may have been killed meanwhile.
    if (container.state.status === "paused") await unpauseContainer(parts, container);
    if (existsSync(note)) unlinkSync(note);
  };
  try {
    await pauseContainer(parts, container);
  } catch (error) {
    paused = false;
    unlinkSync(note);
    throw error;
  }
  return resume;
}

/** Before a daemon looks at what runs: lets go on what the last one had paused only to read its layer. */
export async function resumeCommitted(parts: EngineParts, container: Container): Promise<void> {
  const note = noteOf(parts, container.id);
  if (!existsSync(note)) return;
  if (container.state.pid !== 0) {
    await parts.cgroups.thaw(cgroupPathOf(parts, container.record)).catch(() => undefined);
    container.state = { ...container.state, status: "running" };
    parts.registry.writeState(container);
  }
  unlinkSync(note);
}

function noteOf({ layout }: Pick<EngineParts, "layout">, id: string): string {
  return join(layout.containers, id, "committing");
}

/** The layer of what a container has changed, written to the file `archive` in part. */
async function* changesOf(parts: EngineParts, container: Container, archive: string): AsyncGenerator<ArchivePiece> {
  const isNear = areOnOneFileSystem(archive, upperOf(parts, container, what), parts.layout.layers);
  const session = await openUpper(parts, container, what, isNear ? archive : undefined);
  try {
    const reader = new TreeReader(session, `commit container ${container.id.slice(0, 12)}`);
    const options = { from: "", as: "", withTop: false, entersMount: () => false, isUpper: true };
    yield* isNear ? packTreeInto(reader, options) : packTree(reader, options);
  } finally {
    session.close();
  }
}

async function* atEnd(source: AsyncGenerator<ArchivePiece>, action: () => Promise<void>): AsyncGenerator<ArchivePiece> {
  try {
    yield* source;
  } finally {
    await action();
  }
}

/** Of a container's configuration, what an image keeps. */
function defaultsOf(config: ContainerConfig): ImageDefaults {
  const { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Healthcheck } = config;
  const all = { User, ExposedPorts, Env, Entrypoint, Cmd, Volumes, WorkingDir, Labels, StopSignal, Healthcheck };
  const more = { StopTimeout: config.StopTimeout, Shell: config.Shell, OnBuild: config.OnBuild };
  const given = Object.entries({ ...all, ...more }).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given) as ImageDefaults;
}

/** What the request says, and the container's where it says nothing, as dockerd merges them. */
function mergedDefaults(asked: ImageDefaults, own: ImageDefaults): ImageDefaults {
  const names = new Set((asked.Env ?? []).map((text) => text.split("=", 1)[0]));
  const inherited = (own.Env ?? []).filter((text) => !names.has(text.split("=", 1)[0]));
  const given = Object.entries(asked).filter(([, value]) => {
    if (value === undefined || value === null || value === "") return false;
    return !Array.isArray(value) || value.length > 0;
  });
  return {
    ...own,
    ...Object.fromEntries(given),
    ...(own.Env || asked.Env ? { Env: [...(asked.Env ?? []), ...inherited] } : {}),
    ...(own.Labels || asked.Labels ? { Labels: { ...own.Labels, ...asked.Labels } } : {}),
    ...(own.ExposedPorts || asked.ExposedPorts ? { ExposedPorts: { ...own.ExposedPorts, ...asked.ExposedPorts } } : {}),
    ...(own.Volumes || asked.Volumes ? { Volumes: { ...own.Volumes, ...asked.Volumes } } : {}),
  };
}
