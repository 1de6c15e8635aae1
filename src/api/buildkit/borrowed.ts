import { asStep } from "../../build/progress/as-step.ts";
import type { BuildEvent, NamedContext } from "../../build/types.ts";
import { orCancelled } from "../../errors/cancel.ts";
import { SampanError } from "../../errors/index.ts";
import type { Asked, BorrowedImage } from "./attributes.ts";
import { ClientStore } from "./client-store.ts";
import type { Frontend } from "./jobs.ts";
import { layoutArchive } from "./layout-archive.ts";
import type { Session } from "./sessions.ts";
import type { Means } from "./solve.ts";

interface Borrowing extends Pick<Means, "images" | "jobs"> {
  readonly frontend: Pick<Frontend, "inputs">;
  readonly session: Session;
  readonly signal: AbortSignal;
  emit(event: BuildEvent): void;
}

type BorrowingPlatforms = Pick<Asked, "borrowed" | "platforms">;

/** Brings the images that a build's contexts are and no registry has; the contexts, by their names. */
export async function borrow(
  { borrowed, platforms }: BorrowingPlatforms,
  means: Borrowing,
): Promise<Readonly<Record<string, NamedContext>>> {
  const contexts: Record<string, NamedContext> = {};
  for (const [name, image] of borrowed) {
    const reference =
      image.kind === "result" ? await resultOf(image.input, means) : await layoutOf(name, image, platforms, means);
    contexts[name] = { kind: "image", reference };
  }
  return contexts;
}

/** Waits for the other build. */
async function resultOf(input: string, { frontend, jobs, signal }: Borrowing): Promise<string> {
  const id = frontend.inputs.get(input);
  if (id === undefined)
    throw new SampanError("invalid", `Cannot use ${input} as a build context: there is no such input`);
  return await orCancelled(jobs.want(id).image, signal);
}

/** Loads the image that is for the build's platform; it has no name here. */
async function layoutOf(
  name: string,
  { store, digest }: Extract<BorrowedImage, { kind: "layout" }>,
  platforms: Asked["platforms"],
  { images, session, signal, emit }: Borrowing,
): Promise<string> {
  if (platforms.length > 1) {
    const remedy = "build for one platform, or push the image and name it as docker-image://";
    throw new SampanError(
      "unsupported",
      `Cannot use an OCI layout as the context ${name} of several platforms: ${remedy}`,
    );
  }
  const shown = { id: `context ${name}`, name: `[context ${name}] oci-layout://${digest}` };
  return await asStep(emit, shown, async () => {
    const archive = layoutArchive(new ClientStore(session, `oci:${store}`), digest, signal);
    const [loaded] = await images.load(archive, { progress: () => undefined, platform: platforms[0], signal });
    if (loaded === undefined)
      throw new SampanError("invalid", `Cannot use ${digest} as a build context: it is no image`);
    return loaded.image.id;
  });
}
