import { statusOf } from "../../build/exchange/shown.ts";
import { asStep } from "../../build/progress/as-step.ts";
import type { BuildResult, OutputContent } from "../../build/types.ts";
import type { PushedTag } from "../../images/types.ts";
import { parseReference } from "../../registry/reference.ts";
import { ClientStore } from "./client-store.ts";
import { sendArchive, sendFiles } from "./send-files.ts";
import type { Client, Means, Purpose } from "./solve.ts";

interface Delivery extends Pick<Client, "session" | "signal" | "lent">, Pick<Purpose<unknown>, "wanted" | "emit"> {
  readonly images: Means["images"];
  readonly scratch: string;
}

type Told = ReadonlyMap<string, string>;

/** Brings the result of a build to where its client wants it; the answer is what BuildKit's exporters would tell about it. */
export async function deliver({ id, tags, stream, content }: BuildResult, delivery: Delivery): Promise<Told> {
  await using files = stream;
  await using blobs = content;
  const { wanted, emit, session, signal, scratch } = delivery;
  const { place } = wanted;
  const step = `export-${place}`;
  if (wanted.to === "none") return new Map();
  if (files !== undefined) {
    const directory = wanted.to === "directory";
    const name = directory ? "exporting to client directory" : "exporting to client tarball";
    await asStep(emit, { id: step, name }, () =>
      directory
        ? sendFiles(session, files, { place, scratch, signal })
        : sendArchive(session, files, { place, signal }),
    );
    return new Map();
  }
  const names = tags.map((tag) => parseReference(tag).canonical);
  if (blobs !== undefined) {
    const name = "exporting to oci image format";
    await asStep(emit, { id: step, name }, () => sendContent(blobs, delivery));
    const descriptor = Buffer.from(JSON.stringify(blobs.root)).toString("base64");
    const told = [["containerimage.descriptor", descriptor] as const];
    return new Map([...toldOf(id, blobs.root.digest, names), ...told]);
  }
  await asStep(emit, { id: step, name: "exporting to image" }, async () => {
    const now = Date.now();
    for (const done of [`writing image ${id}`, ...names.map((name) => `naming to ${name}`)]) {
      emit({ type: "status", step, id: done, started: now, completed: now });
    }
  });
  const pushed = wanted.push ? await pushAll(tags, delivery) : undefined;
  return toldOf(id, pushed?.digest ?? id, names);
}

/** What buildx makes `--iidfile` and `--metadata-file` of. */
function toldOf(id: string | undefined, digest: string | undefined, names: readonly string[]): Map<string, string> {
  return new Map([
    ["containerimage.digest", digest ?? ""],
    ["containerimage.config.digest", id ?? ""],
    ...(names.length === 0 ? [] : [["image.name", names.join(",")] as const]),
  ]);
}

/** As one archive, or blob by blob into a store of the client's. */
async function sendContent(content: OutputContent, { wanted, session, signal }: Delivery): Promise<void> {
  if (wanted.to === "archive") return await sendArchive(session, content.archive(), { place: wanted.place, signal });
  const store = new ClientStore(session, "export");
  for (const blob of content.blobs) await store.write(blob, content.read(blob.digest), signal);
}

/** Pushes an image under all of its names; the answer is what the registry knows it by. */
async function pushAll(tags: readonly string[], delivery: Delivery): Promise<PushedTag | undefined> {
  const { images, wanted, lent, emit, signal } = delivery;
  let last: PushedTag | undefined;
  for (const reference of tags) {
    const id = `push ${reference}`;
    await asStep(emit, { id, name: `pushing ${parseReference(reference).canonical}` }, async () => {
      await images.push({
        ...{ reference, allTags: false, signal, auth: await lent.auth(reference), compression: wanted.compression },
        progress: statusOf(id, emit),
        pushed: (pushed) => {
          last = pushed;
        },
      });
    });
  }
  return last;
}
