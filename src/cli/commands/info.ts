import type { InfoResponse } from "../../api/shapes/system.ts";
import { version } from "../../errors/version.ts";
import { defineCommand } from "../command.ts";
import { humanBinarySize } from "../format/units.ts";
import { text } from "../options.ts";

export default defineCommand({
  usage: "[OPTIONS]",
  summary: "Display system-wide information",
  arity: { min: 0, max: 0 },
  options: { format: text("f", "Format output using a custom template: 'json' or a Go template") },
  run: async (context, _args, { format }) => {
    const info = await context.client.info();
    const ClientInfo = { Version: version, NodeVersion: process.version };
    if (format === "json") context.print(JSON.stringify({ ...info, ClientInfo }));
    else if (format !== undefined && format !== "") {
      const { compileTemplate } = await import("../template/index.ts");
      context.print(compileTemplate(format)({ ...info, ClientInfo }));
    } else {
      context.print(["Client: Sampan", ` Version:    ${version}`, "", "Server:", ...serverLines(info)].join("\n"));
      for (const warning of info.Warnings ?? []) context.warn(warning);
    }
    return 0;
  },
});

function serverLines(info: InfoResponse): string[] {
  const plugins = info.Plugins ?? {};
  return [
    ` Containers: ${info.Containers}`,
    `  Running: ${info.ContainersRunning}`,
    `  Paused: ${info.ContainersPaused}`,
    `  Stopped: ${info.ContainersStopped}`,
    ` Images: ${info.Images}`,
    ` Server Version: ${info.ServerVersion}`,
    ` Storage Driver: ${info.Driver}`,
    ...(info.DriverStatus ?? []).map(([name, value]) => `  ${name}: ${value}`),
    ` Logging Driver: ${info.LoggingDriver}`,
    ` Cgroup Driver: ${info.CgroupDriver}`,
    ` Cgroup Version: ${info.CgroupVersion}`,
    " Plugins:",
    ...named("  Volume", plugins.Volume),
    ...named("  Network", plugins.Network),
    ...named("  Log", plugins.Log),
    ...(info.DefaultRuntime ? [` Default Runtime: ${info.DefaultRuntime}`] : []),
    ...block(" Security Options:", (info.SecurityOptions ?? []).map(securityOption)),
    ` Kernel Version: ${info.KernelVersion}`,
    ` Operating System: ${info.OperatingSystem}`,
    ` OSType: ${info.OSType}`,
    ` Architecture: ${info.Architecture}`,
    ` CPUs: ${info.NCPU}`,
    ` Total Memory: ${humanBinarySize(info.MemTotal)}`,
    ` Name: ${info.Name}`,
    ` ID: ${info.ID}`,
    ` Root Dir: ${info.DockerRootDir}`,
    ` Debug Mode: ${info.Debug ?? false}`,
    ...block(" Labels:", info.Labels ?? []),
    ` Experimental: ${info.ExperimentalBuild ?? false}`,
    ...block(" Insecure Registries:", info.RegistryConfig?.InsecureRegistryCIDRs ?? []),
    ` Live Restore Enabled: ${info.LiveRestoreEnabled ?? false}`,
  ];
}

function named(title: string, names: readonly string[] | null | undefined): string[] {
  return names === null || names === undefined || names.length === 0 ? [] : [`${title}: ${names.join(" ")}`];
}

function block(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [title, ...lines.map((line) => `  ${line}`)];
}

/** `name=seccomp,profile=builtin` as `seccomp (profile: builtin)`. */
function securityOption(option: string): string {
  const [first = "", ...rest] = option.split(",").map((part) => part.split("="));
  const name = first[1] ?? first[0] ?? "";
  return rest.length === 0 ? name : `${name} (${rest.map(([key, value]) => `${key}: ${value}`).join(", ")})`;
}
