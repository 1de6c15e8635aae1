import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { succeed } from "./process.ts";

const who = { name: "Test", email: "test@example.org", date: "2024-01-01T00:00:00Z" };

/** git without anybody's configuration, whose commits are the same every time. */
export async function git(directory: string, ...args: readonly string[]): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    HOME: "/nonexistent",
    GIT_CONFIG_NOSYSTEM: "1",
    GIT_AUTHOR_NAME: who.name,
    GIT_AUTHOR_EMAIL: who.email,
    GIT_AUTHOR_DATE: who.date,
    GIT_COMMITTER_NAME: who.name,
    GIT_COMMITTER_EMAIL: who.email,
    GIT_COMMITTER_DATE: who.date,
  };
  const settings = ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", "-c", "safe.directory=*"];
  return (await succeed("git", [...settings, "-C", directory, ...args], { env })).trim();
}

/** Makes an empty repository at a path. */
export async function repository(path: string): Promise<string> {
  mkdirSync(path, { recursive: true });
  await git(path, "init", "--quiet");
  return path;
}

/** Commits files, with all that is there already; the commit. A name that ends in "*" is that of a program. */
export async function commit(path: string, files: Readonly<Record<string, string>>): Promise<string> {
  for (const [written, text] of Object.entries(files)) {
    const name = written.replace(/\*$/, "");
    mkdirSync(dirname(join(path, name)), { recursive: true });
    writeFileSync(join(path, name), text, { mode: name === written ? 0o644 : 0o755 });
  }
  await git(path, "add", "--all");
  await git(path, "commit", "--quiet", "--allow-empty", "-m", "a commit");
  return await git(path, "rev-parse", "HEAD");
}

export interface GitServer extends AsyncDisposable {
  /** "127.0.0.1:40123" */
  readonly host: string;
  /** What was asked for: "POST /a.git/git-upload-pack". */
  readonly requests: string[];
}

/** Answers a request itself: true. */
export type Intercept = (request: IncomingMessage, response: ServerResponse) => boolean;

/** All repositories below a directory, by git's own smart HTTP server. */
export async function serveGit(directory: string, intercept: Intercept = () => false): Promise<GitServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url?.replace(/\?.*/, "")}`);
    if (!intercept(request, response)) backend(directory, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    host: `127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** git-http-backend(1), a CGI program. */
function backend(directory: string, request: IncomingMessage, response: ServerResponse): void {
  const [path = "", query = ""] = (request.url ?? "").split("?");
  const { headers } = request;
  const env = {
    PATH: process.env.PATH,
    GIT_PROJECT_ROOT: directory,
    GIT_HTTP_EXPORT_ALL: "1",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "safe.directory",
    GIT_CONFIG_VALUE_0: "*",
    GIT_PROTOCOL: String(headers["git-protocol"] ?? ""),
    PATH_INFO: path,
    QUERY_STRING: query,
    REQUEST_METHOD: request.method,
    CONTENT_TYPE: headers["content-type"] ?? "",
    HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
    REMOTE_ADDR: "127.0.0.1",
  };
  const child = spawn("git", ["http-backend"], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.stdin.on("error", () => {});
  request.pipe(child.stdin);
  response.once("close", () => child.kill());
  let head: Buffer | undefined = Buffer.alloc(0);
  child.stdout.on("data", (chunk: Buffer) => {
    if (head === undefined) return void response.write(chunk);
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    const lines = head.subarray(0, end).toString().split("\r\n");
    const fields = lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()]);
    const { Status = "200", ...others } = Object.fromEntries(fields) as Record<string, string>;
    response.writeHead(Number.parseInt(Status, 10), others);
    response.write(head.subarray(end + 4));
    head = undefined;
  });
  child.once("close", () => response.end());
}
