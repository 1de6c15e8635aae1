import * as z from "zod";
import { SampanError } from "../errors/index.ts";
import { type DiffId, isDigest } from "../storage/digest.ts";

/** The member of a configuration, an image's or a cache's own, that names the steps whose layers are in the manifest. */
export const stepsMember = "sampan.buildcache.v1";

/** The member of a cache's configuration that names the directories of `RUN --mount=type=cache` that are in the manifest. */
export const mountsMember = "sampan.cachemounts.v1";

const diffId = z.custom<DiffId>((value) => typeof value === "string" && isDigest(value), "not a digest");
const step = z.object({
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** Place among the manifest's layers and `diff_ids`. */
  layer: z.number().int().nonnegative(),
  /** Milliseconds since 1970. */
  created: z.number().int().nonnegative(),
});
const owner = z.number().int().min(0).max(0xffff_fffe);
const mount = z.object({
  id: z.string().max(4096),
  /** Place among the manifest's layers and `diff_ids`: an archive of what is in the directory. */
  layer: z.number().int().nonnegative(),
  /** Of the directory itself. */
  mode: z.number().int().min(0).max(0o7777),
  uid: owner,
  gid: owner,
});
const configuration = z.object({
  rootfs: z.object({ diff_ids: z.array(diffId) }),
  [stepsMember]: z.array(step).max(100_000),
  [mountsMember]: z.array(mount).max(10_000).optional(),
});

export type FormattedStep = z.infer<typeof step>;
export type FormattedMount = z.infer<typeof mount>;

/** The build steps, and the directories of cache mounts, that a configuration tells of; "not-found" when it tells of none, "invalid" when it is wrong. */
export function parseSteps(bytes: Uint8Array, name: string) {
  const content = readJson(bytes, name);
  if (typeof content !== "object" || content === null || !Object.hasOwn(content, stepsMember)) {
    throw new SampanError("not-found", `${name} holds no build cache`);
  }
  const parsed = configuration.safeParse(content);
  if (!parsed.success) {
    throw new SampanError("invalid", `Cannot use the build cache of ${name}: ${z.prettifyError(parsed.error)}`);
  }
  const { rootfs, [stepsMember]: steps, [mountsMember]: mounts = [] } = parsed.data;
  return { diffIds: rootfs.diff_ids, steps, mounts };
}

function readJson(bytes: Uint8Array, name: string): unknown {
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new SampanError("invalid", `Cannot use the build cache of ${name}: its configuration is no JSON`, { cause });
  }
}
