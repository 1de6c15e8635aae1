import { SampanError } from "../errors/index.ts";
import type { Reference } from "../registry/types.ts";
import { hexOf } from "../storage/digest.ts";
import { shortId } from "./progress.ts";
import type { ImageUser, StoredImage } from "./types.ts";

/** What removing comes to: names to take away, and then perhaps the image itself. */
export interface RemovalPlan {
  readonly untag: readonly string[];
  readonly delete: boolean;
}

export interface RemovalRequest {
  readonly image: StoredImage;
  /** As the user wrote it. */
  readonly written: string;
  /** Its name, unless it was written as an id. */
  readonly reference: Reference | undefined;
  readonly force: boolean;
  readonly users: readonly ImageUser[];
}

/**
 * Docker's rules (image delete of its classic store): a name is untagged, and with the last name the image goes; an id
 * takes the image with its name when it has one name only. Conflicts carry Docker's texts.
 */
export function planRemoval(request: RemovalRequest): RemovalPlan {
  if (request.image.virtual !== undefined)
    throw conflict(request, "cannot be forced", "it is a view of this machine, not stored");
  return request.reference === undefined ? planById(request) : planByName(request, request.reference);
}

function planByName(request: RemovalRequest, reference: Reference): RemovalPlan {
  const { image, force, users } = request;
  const [user] = users;
  if (!force && isOneRepository(image) && user !== undefined) {
    const using = `container ${user.id.slice(0, 12)} is using its referenced image ${shortId(image.id)}`;
    const text = `conflict: unable to remove repository reference "${request.written}" (must force) - ${using}`;
    throw new SampanError("conflict", text);
  }
  const byDigest = reference.digest !== undefined;
  const untag = [byDigest ? `${reference.familiarName}@${reference.digest}` : reference.familiar];
  const left = image.names.filter((name) => !untag.includes(name));
  // The digests of a repository go with its last tag.
  if (!byDigest && !left.some((name) => repositoryOf(name) === reference.familiarName)) {
    untag.push(...image.repoDigests.filter((name) => repositoryOf(name) === reference.familiarName));
  }
  const remaining = [...left, ...image.repoDigests.filter((name) => !untag.includes(name))];
  // A running container keeps the image, without a name, and that is no error.
  return { untag, delete: remaining.length === 0 && !users.some(({ running }) => running) };
}

function planById(request: RemovalRequest): RemovalPlan {
  const { image, force, users } = request;
  const running = users.find((user) => user.running);
  if (running !== undefined) {
    throw conflict(request, "cannot be forced", `image is being used by running container ${running.id.slice(0, 12)}`);
  }
  if (!force && !isOneRepository(image)) {
    throw conflict(request, "must be forced", "image is referenced in multiple repositories");
  }
  const [stopped] = users;
  if (!force && stopped !== undefined) {
    throw conflict(request, "must be forced", `image is being used by stopped container ${stopped.id.slice(0, 12)}`);
  }
  return { untag: [...image.names, ...image.repoDigests], delete: true };
}

/** At most one tag, and every digest of the same repository. */
function isOneRepository({ names, repoDigests }: StoredImage): boolean {
  const repositories = new Set([...names, ...repoDigests].map(repositoryOf));
  return names.length <= 1 && repositories.size <= 1;
}

/** "host:5000/a/b" of "host:5000/a/b:tag" and of "host:5000/a/b@sha256:…". */
function repositoryOf(name: string): string {
  const at = name.indexOf("@");
  if (at >= 0) return name.slice(0, at);
  const colon = name.lastIndexOf(":");
  return colon > name.lastIndexOf("/") ? name.slice(0, colon) : name;
}

function conflict({ image, written }: RemovalRequest, how: string, why: string): SampanError {
  const name = image.virtual === undefined && hexOf(image.id).startsWith(written) ? shortId(image.id) : written;
  const id = image.virtual === undefined ? shortId(image.id) : name;
  return new SampanError("conflict", `conflict: unable to delete ${id} (${how}) - ${why}`);
}
