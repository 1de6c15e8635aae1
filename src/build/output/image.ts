import { type FormattedStep, stepsMember } from "../../images/build-steps.ts";
import type { Hold } from "../../images/garbage.ts";
import type { Manifest } from "../../images/shapes.ts";
import { obtainImage } from "../../images/stack.ts";
import type { HistoryEntry, ImageConfig, StoredImage } from "../../images/types.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import type { Reference } from "../../registry/types.ts";
import { digestOf } from "../../storage/digest.ts";
import type { WorkParts } from "../parts.ts";
import type { Plan, VertexId } from "../plan/types.ts";
import type { Stack } from "../solve/stack.ts";

/** A build that has come to its end. */
export interface Built {
  readonly plan: Plan;
  readonly stack: Stack;
  /** When a vertex's layer was made, in milliseconds since 1970. */
  createdAt(vertex: VertexId): number | undefined;
  /** Besides those of the Dockerfile. */
  readonly labels: Readonly<Record<string, string>>;
  /** Seconds since 1970: no later time is in the image. */
  readonly epoch: number | undefined;
  /** What other builds may take from the image. */
  readonly steps: readonly FormattedStep[] | undefined;
}

/** Stores the image of a build under its names: all at once, or not at all. */
export async function storeImage(
  parts: WorkParts,
  hold: Hold,
  built: Built,
  { names, signal }: { readonly names: readonly Reference[]; readonly signal: AbortSignal },
): Promise<{ readonly image: StoredImage; readonly digest: string }> {
  const { tools } = parts;
  const config = configOf(built);
  const configBytes = Buffer.from(JSON.stringify(config));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: mediaTypes.ociConfig, digest: digestOf(configBytes), size: configBytes.length },
    layers: built.stack.layers.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  await tools.garbage.add(hold, [digestOf(configBytes), digestOf(bytes)]);
  const id = await tools.content.put(configBytes);
  const manifestDigest = await tools.content.put(bytes);
  const name = names[0]?.familiar ?? id;
  const described = { manifest, manifestDigest, manifestSize: bytes.length, mediaType: mediaTypes.ociManifest };
  const image = await obtainImage(
    tools,
    hold,
    { name, id, config, ...described, related: [] },
    { unpacking: "Loading layer", progress: () => undefined, signal },
    () => {
      for (const { familiar } of names) tools.records.addName(id, familiar);
    },
  );
  return { image, digest: manifestDigest };
}

/** The image's configuration: that of the Dockerfile on top of its base's. */
export function configOf({ plan, stack, createdAt, labels, epoch, steps }: Built): ImageConfig {
  const { os, architecture, variant } = plan.platform;
  const history = dated(plan, createdAt, epoch);
  const Labels = { ...plan.config.Labels, ...labels };
  return {
    created: history.at(-1)?.created ?? timeText(epoch === undefined ? Date.now() : epoch * 1000),
    ...(plan.author && { author: plan.author }),
    architecture,
    os,
    ...(variant && { variant }),
    config: { ...withoutUndefined(plan.config), ...(Object.keys(Labels).length > 0 && { Labels }) },
    rootfs: { type: "layers", diff_ids: stack.layers.map(({ diffId }) => diffId) },
    history,
    ...(steps && { [stepsMember]: steps }),
  };
}

/**
 * Times of the history, as BuildKit gives them: a layer's is when it was made; what made none has that of the last layer
 * before it that this build has made, or else of the first one after it.
 */
function dated(plan: Plan, createdAt: Built["createdAt"], epoch: number | undefined): HistoryEntry[] {
  const inherited = plan.base?.history.length ?? 0;
  const own = plan.history.slice(inherited);
  const times = own.map(({ vertex }) => (vertex === undefined ? undefined : createdAt(vertex)));
  let last = times.find((time) => time !== undefined);
  const usual = Date.parse(plan.history[inherited - 1]?.created ?? "");
  const entries = own.map(({ vertex: _vertex, ...entry }, index): HistoryEntry => {
    last = times[index] ?? last;
    const time = last ?? (Number.isNaN(usual) ? Date.now() : usual);
    return { created: timeText(epoch === undefined ? time : Math.min(time, epoch * 1000)), ...entry };
  });
  return [...(plan.base?.history ?? []), ...entries];
}

function timeText(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

function withoutUndefined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as T;
}
