import { SampanError } from "../../errors/index.ts";
import { type FormattedStep, parseSteps, stepsMember } from "../../images/build-steps.ts";
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

/** A manifest of results: the layers of a configuration that says which steps made them. */
export function formatCache(results: readonly StepResult[], epoch?: number) {
  const layers = new Map<string, BuiltLayer>();
  for (const { stack } of results) {
    const layer = stack.layers.at(-1);
    if (layer !== undefined) layers.set(layer.diffId, layer);
  }
  const all = [...layers.values()].sort((a, b) => (a.diffId < b.diffId ? -1 : 1));
  const places = new Map<string | undefined, number>(all.map(({ diffId }, place) => [diffId, place]));
  const steps = results.flatMap(({ key, created, stack }) => {
    const layer = places.get(stack.layers.at(-1)?.diffId);
    return layer === undefined ? [] : [{ key, layer, created }];
  });
  const rootfs = { type: "layers", diff_ids: all.map(({ diffId }) => diffId) };
  const config = Buffer.from(JSON.stringify({ rootfs, [stepsMember]: sorted(steps, epoch) }));
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

/** The results that a configuration and its manifest tell of, by key; "not-found" when they tell of none. */
export function parseCache(config: Uint8Array, manifest: Manifest, name: string): Map<string, ForeignResult> {
  const { diffIds, steps } = parseSteps(config, name);
  return new Map(
    steps.map(({ key, layer, created }) => {
      const [diffId, blob] = [diffIds[layer], manifest.layers[layer]];
      if (diffId !== undefined && blob !== undefined) {
        const { digest, size, mediaType } = blob;
        return [key, { layer: { diffId, digest, size, mediaType }, created }];
      }
      throw new SampanError("invalid", `Cannot use the build cache of ${name}: it has no layer ${layer}`);
    }),
  );
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
