import { SampanError } from "../../errors/index.ts";
import {
  type FormattedMount,
  type FormattedStep,
  mountsMember,
  parseSteps,
  stepsMember,
} from "../../images/build-steps.ts";
import type { Manifest } from "../../images/shapes.ts";
import { mediaTypes } from "../../registry/media-types.ts";
import { digestOf } from "../../storage/digest.ts";
import { type BuiltLayer, type Stack, stackOf } from "../solve/stack.ts";

/** What a step came to: the top layer of the stack. */
export interface StepResult {
  readonly key: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly stack: Stack;
}

/** The same as somebody else's build tells it. */
export interface ForeignResult {
  readonly layer: BuiltLayer;
  readonly created: number;
}

/** The directory of a cache mount, its contents packed as a layer. */
export interface PackedMount extends Omit<FormattedMount, "layer"> {
  readonly layer: BuiltLayer;
}

/** What somebody else's builds have come to. */
export interface ForeignCache {
  /** By key. */
  readonly results: ReadonlyMap<string, ForeignResult>;
  /** By id. */
  readonly mounts: ReadonlyMap<string, PackedMount>;
}

const cacheConfig = "application/vnd.sampan.buildcache.config.v1+json";

/** The steps whose results are among an image's layers, standing on what they stand on there; for its configuration. */
export function inlineSteps(results: readonly StepResult[], { chains }: Stack, epoch?: number): FormattedStep[] {
  const places = new Map<string | undefined, number>(chains.map((chain, place) => [chain, place]));
  const steps = results.flatMap(({ key, created, stack }) => {
    const layer = places.get(stack.chains.at(-1));
    return layer === undefined ? [] : [{ key, layer, created }];
  });
  return sorted(steps, epoch);
}

/** A manifest of results and cache mounts: the layers of a configuration that says which steps made them, and what is in them. */
export function formatCache(results: readonly StepResult[], mounts: readonly PackedMount[], epoch?: number) {
  const layers = new Map<string, BuiltLayer>();
  for (const layer of [...results.map(({ stack }) => stack.layers.at(-1)), ...mounts.map((mount) => mount.layer)])
    if (layer !== undefined) layers.set(layer.diffId, layer);
  const all = [...layers.values()].sort((a, b) => (a.diffId < b.diffId ? -1 : 1));
  const places = new Map<string | undefined, number>(all.map(({ diffId }, place) => [diffId, place]));
  const steps = results.flatMap(({ key, created, stack }) => {
    const layer = places.get(stack.layers.at(-1)?.diffId);
    return layer === undefined ? [] : [{ key, layer, created }];
  });
  const directories = mounts.map(({ layer, ...mount }) => ({ ...mount, layer: places.get(layer.diffId) }));
  const rootfs = { type: "layers", diff_ids: all.map(({ diffId }) => diffId) };
  const members = {
    [stepsMember]: sorted(steps, epoch),
    ...(directories.length > 0 && { [mountsMember]: directories.sort((a, b) => (a.id < b.id ? -1 : 1)) }),
  };
  const config = Buffer.from(JSON.stringify({ rootfs, ...members }));
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config: { mediaType: cacheConfig, digest: digestOf(config), size: config.length },
    layers: all.map(({ mediaType, digest, size }) => ({ mediaType, digest, size })),
  };
  return { config, manifest, bytes: Buffer.from(JSON.stringify(manifest)) };
}

/** The same steps make the same bytes. `epoch`: seconds since 1970, no later time is told. */
function sorted(steps: readonly FormattedStep[], epoch: number | undefined): FormattedStep[] {
  const latest = epoch === undefined ? Number.POSITIVE_INFINITY : epoch * 1000;
  const once = new Map(steps.map((step) => [step.key, { ...step, created: Math.min(step.created, latest) }]));
  return [...once.values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** What a configuration and its manifest tell of; "not-found" when they tell of no cache. */
export function parseCache(config: Uint8Array, manifest: Manifest, name: string): ForeignCache {
  const { diffIds, steps, mounts } = parseSteps(config, name);
  const layerAt = (place: number): BuiltLayer => {
    const [diffId, blob] = [diffIds[place], manifest.layers[place]];
    if (diffId === undefined || blob === undefined)
      throw new SampanError("invalid", `Cannot use the build cache of ${name}: it has no layer ${place}`);
    const { digest, size, mediaType } = blob;
    return { diffId, digest, size, mediaType };
  };
  return {
    results: new Map(steps.map(({ key, layer, created }) => [key, { layer: layerAt(layer), created }])),
    mounts: new Map(mounts.map((mount) => [mount.id, { ...mount, layer: layerAt(mount.layer) }])),
  };
}

/** Of all results those that one of `stacks` is made of. */
export function resultsIn(results: readonly StepResult[], stacks: readonly Stack[]): StepResult[] {
  const chains = new Set(stacks.flatMap((stack) => stack.chains));
  return results.filter(({ stack }) => {
    const chain = stack.chains.at(-1);
    return chain !== undefined && chains.has(chain);
  });
}

/** A result on the stack that its step stands on here. */
export function onto(parent: Stack, { layer }: ForeignResult): Stack {
  return stackOf([...parent.layers, layer]);
}
