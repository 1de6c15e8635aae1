import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import type { CreateContainerRequest, CreateContainerResponse } from "../../api/shapes/container.ts";
import { ApiError } from "../../client/api-error.ts";
import type { Context } from "../context.ts";
import { ExitError, engineFailure } from "../errors.ts";
import { withTag } from "../parsing/reference.ts";
import type { PullPolicy } from "./choices.ts";

export interface CreateOptions {
  readonly name: string | undefined;
  readonly platform: string | undefined;
  readonly pull: PullPolicy | undefined;
  readonly quiet: boolean;
  readonly cidfile: string | undefined;
}

/** Creates a container, fetching its image first where that is asked for or needed; returns its id. */
export async function createContainer(
  context: Context,
  request: CreateContainerRequest,
  options: CreateOptions,
): Promise<string> {
  const cidfile = options.cidfile === undefined ? undefined : openCidfile(options.cidfile);
  try {
    if (options.pull === "always") await pull(context, request.Image, options);
    const { Id: id, Warnings: warnings } = await createOrPull(context, request, options);
    for (const warning of warnings ?? []) context.warn(`WARNING: ${warning}`);
    if (cidfile !== undefined) writeSync(cidfile, id);
    return id;
  } catch (error) {
    if (options.cidfile !== undefined) rmSync(options.cidfile, { force: true });
    throw error;
  } finally {
    if (cidfile !== undefined) closeSync(cidfile);
  }
}

async function createOrPull(
  context: Context,
  request: CreateContainerRequest,
  options: CreateOptions,
): Promise<CreateContainerResponse> {
  const query = { name: options.name, platform: options.platform };
  try {
    return await context.client.containers.create(request, query);
  } catch (error) {
    const missing = error instanceof ApiError && error.kind === "not-found";
    if (!missing || (options.pull ?? "missing") !== "missing") throw error;
    if (!options.quiet) context.warn(`Unable to find image '${withTag(request.Image)}' locally`);
    await pull(context, request.Image, options);
    return context.client.containers.create(request, query);
  }
}

/** Progress goes to stderr: stdout belongs to the container. */
async function pull(context: Context, image: string, options: CreateOptions): Promise<void> {
  const { pullImage } = await import("../progress/pull.ts");
  await pullImage(context, withTag(image), { ...options, output: options.quiet ? undefined : context.stderr });
}

function openCidfile(path: string): number {
  try {
    return openSync(path, "wx", 0o644);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") {
      const message = `container ID file found, make sure the other container isn't running or delete ${path}`;
      throw new ExitError(engineFailure, `sampan: ${message}`);
    }
    const reason = code === "ENOENT" ? "no such file or directory" : code;
    throw new ExitError(engineFailure, `sampan: failed to create the container ID file: open ${path}: ${reason}`);
  }
}
