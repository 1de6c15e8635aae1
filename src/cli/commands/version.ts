import type { VersionResponse } from "../../api/shapes/system.ts";
import { version } from "../../errors/version.ts";
import { defineCommand } from "../command.ts";
import { describe } from "../describe.ts";
import { text } from "../options.ts";

/** What a template sees as `.Client`. */
interface ClientVersion {
  readonly Version: string;
  readonly NodeVersion: string;
  readonly Os: string;
  readonly Arch: string;
}

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Show the Sampan version information",
  arity: { min: 0, max: 0 },
  options: { format: text("f", "Format output using a custom template: 'json' or a Go template") },
  run: async (context, _args, { format }) => {
    const client = clientVersion();
    const answer = await context.client.version().then(
      (server) => ({ server, error: undefined }),
      (error: unknown) => ({ server: undefined, error }),
    );
    if (format === "json") context.print(JSON.stringify({ Client: client, Server: answer.server ?? null }));
    else if (format !== undefined && format !== "") {
      const { compileTemplate } = await import("../template/index.ts");
      context.print(compileTemplate(format)({ Client: client, Server: answer.server ?? null }));
    } else {
      context.print(clientLines(client).join("\n"));
      if (answer.server !== undefined) context.print(`\n${serverLines(answer.server).join("\n")}`);
    }
    if (answer.error === undefined) return 0;
    context.warn(describe(answer.error));
    return 1;
  },
});

function clientVersion(): ClientVersion {
  const arch = process.arch === "x64" ? "amd64" : process.arch;
  return { Version: version, NodeVersion: process.version, Os: process.platform, Arch: arch };
}

function clientLines({ Version, NodeVersion, Os, Arch }: ClientVersion): string[] {
  return [
    "Client: Sampan",
    row(" Version", Version),
    row(" Node version", NodeVersion),
    row(" OS/Arch", `${Os}/${Arch}`),
  ];
}

function serverLines(server: VersionResponse): string[] {
  const lines = [`Server: ${server.Platform?.Name || "Sampan"}`];
  for (const { Name, Version, Details = {} } of server.Components ?? []) {
    lines.push(` ${Name}:`, row("  Version", Version));
    if (Name === "Engine") {
      lines.push(
        row("  API version", `${server.ApiVersion} (minimum version ${server.MinAPIVersion})`),
        ...(server.GitCommit ? [row("  Git commit", server.GitCommit)] : []),
        row("  OS/Arch", `${server.Os}/${server.Arch}`),
        ...(server.KernelVersion ? [row("  Kernel", server.KernelVersion)] : []),
      );
    } else if (Details.GitCommit) lines.push(row("  GitCommit", Details.GitCommit));
  }
  return lines;
}

function row(name: string, value: string): string {
  return `${`${name}:`.padEnd(20)}${value}`;
}
