import { readFileSync, writeFileSync } from "node:fs";
import { pipeline, type Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { type ContextSource, openContext } from "../../client/build/open-context.ts";
import type { Context } from "../context.ts";
import { registryConfig } from "../credentials/store.ts";
import { ExitError } from "../errors.ts";
import { silent } from "../progress/display.ts";
import { type Built, followBuild } from "./follow.ts";
import { chooseOutput, type Output } from "./outputs.ts";
import { chooseProgress } from "./progress/choose.ts";
import { pushAll } from "./push.ts";
import { checkSummary, lintList, lintText, outlineText, targetsText } from "./report.ts";
import { type BuildValues, buildRequest, buildSettings, callOf, namedContexts } from "./request.ts";
import { archiveOrDockerfile } from "./standard-input.ts";
import { checkStdout, unpackTo, writeArchiveTo } from "./write-output.ts";

/** `sampan build`: sends a context, shows the build, and does with the result what was asked. */
export async function build(context: Context, path: string, values: BuildValues): Promise<number> {
  const output = chooseOutput(values.output, values);
  if (output.kind === "tar" || (output.kind === "archive" && !output.unpacked)) checkStdout(context, output.path);
  const request = buildRequest(values, output, context.env);
  if (output.kind === "image" && output.push && request.t?.length === 0) {
    throw new ExitError(1, "ERROR: tag is needed when pushing to registry");
  }
  const progress = chooseProgress(context, values);
  const settings = buildSettings(values, context.env);
  try {
    const { upload, ...named } = openContext({ ...(await sourceOf(context, path, values)), settings });
    const { dockerfile, remote, name: dockerfilename, inline } = named;
    const answer = await context.client.builds.build(
      { ...request, dockerfile, remote, dockerfilename, ...(inline && { settings: "tar" }) },
      values.compress && upload !== undefined ? compressed(upload) : upload,
      { settings: inline ? undefined : settings, auth: registryConfig(context.env) },
    );
    const built = await followBuild(context, answer, progress);
    if (callOf(values) !== undefined) return answerCall(context, callOf(values), built);
    await deliver(context, { output, built, answer });
    finish(context, values, built);
    if (output.kind === "image" && output.push) {
      await pushAll(context, request.t ?? [], values.quiet ? silent : context.stderr);
    }
    return 0;
  } finally {
    progress.end();
  }
}

/** For daemons that are far away. */
function compressed(context: Readable): Readable {
  const gzip = createGzip({ level: 1 });
  pipeline(context, gzip, (error) => {
    if (error) gzip.destroy(error);
  });
  return gzip;
}

/** The context and the Dockerfile; "-" is stdin for one of them. */
async function sourceOf(context: Context, path: string, values: BuildValues): Promise<ContextSource> {
  const { directories } = namedContexts(values["build-context"]);
  const { file } = values;
  if (path === "-" && file === "-")
    throw new ExitError(1, "invalid argument: can't use stdin for both build context and dockerfile");
  if (path === "-") {
    const given = await archiveOrDockerfile(context.stdin);
    return "text" in given
      ? { context: given.directory, dockerfile: { text: given.text }, directories }
      : { context: given.archive, dockerfile: file, directories };
  }
  if (file === "-") return { context: path, dockerfile: { text: readFileSync(0, "utf8") }, directories };
  return { context: path, dockerfile: file, directories };
}

function answerCall(context: Context, call: string | undefined, { result, lints }: Built): number {
  const { metadata = {} } = result;
  if (call === "targets") context.stdout.write(targetsText(metadata.targets as Parameters<typeof targetsText>[0]));
  else if (call === "outline") context.stdout.write(outlineText(metadata.outline as Parameters<typeof outlineText>[0]));
  else {
    context.print(checkSummary(lints.length));
    for (const lint of lints) context.stdout.write(lintText(lint));
  }
  return call === "check" && lints.length > 0 ? 1 : 0;
}

interface Delivery {
  readonly output: Output;
  readonly built: Built;
  readonly answer: { output(): AsyncGenerator<Uint8Array> };
}

async function deliver(context: Context, { output, built, answer }: Delivery): Promise<void> {
  if (output.kind === "directory") await unpackTo(output.path, answer.output());
  else if (output.kind === "tar") await writeArchiveTo(context, output.path, answer.output());
  else if (output.kind === "archive") {
    const [name = built.result.id ?? ""] = built.result.tags ?? [];
    const archive = await context.client.making.save([name]);
    await (output.unpacked ? unpackTo(output.path, archive) : writeArchiveTo(context, output.path, archive));
  }
}

/** Everything that is told when it is over. */
function finish(context: Context, values: BuildValues, { result, lints }: Built): void {
  const { id, digest, tags = [], metadata } = result;
  if (!values.quiet) context.stderr.write(lintList(lints));
  if (values.quiet && id !== undefined) context.print(id);
  if (values.iidfile !== undefined && id !== undefined) writeFileSync(values.iidfile, id);
  if (values["metadata-file"] === undefined) return;
  const told = {
    ...metadata,
    // Of several platforms it is the index: there is no one configuration.
    ...(id !== undefined && id !== digest && { "containerimage.config.digest": id }),
    ...(digest !== undefined && { "containerimage.digest": digest }),
    ...(tags.length > 0 && { "image.name": tags.join(",") }),
  };
  writeFileSync(values["metadata-file"], `${JSON.stringify(told, null, 2)}\n`);
}
