import { shortId } from "../identity/ids.ts";
import type { ContainerRecord } from "../records/record.ts";
import { expandTag, pattern, type TagField } from "./options.ts";

export type Described = Pick<ContainerRecord, "id" | "name" | "imageId" | "config" | "hostConfig" | "path" | "args">;

/** What `logs --details` puts in front of every line: the labels, variables and tag that the driver's options name, "a=b,c=d". */
export function logAttributes(record: Described): string {
  const { tag } = record.hostConfig.LogConfig.Config;
  const attributes = new Map([...chosenAttributes(record), ...(tag ? [["tag", logTag(record)] as const] : [])]);
  return [...attributes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`)
    .join(",");
}

/** The labels and variables that the driver's options name. */
export function chosenAttributes(record: Described): [string, string][] {
  const { Config } = record.hostConfig.LogConfig;
  const variables = record.config.Env.map((variable): [string, string] => {
    const [name = "", ...value] = variable.split("=");
    return [name, value.join("=")];
  });
  return [
    ...chosen(Object.entries(record.config.Labels), Config.labels, pattern("labels-regex", Config["labels-regex"])),
    ...chosen(variables, Config.env, pattern("env-regex", Config["env-regex"])),
  ];
}

/** `--log-opt tag=…`, or the container's short id. */
export function logTag(record: Described): string {
  const { tag = "" } = record.hostConfig.LogConfig.Config;
  return expandTag(tag === "" ? "{{.ID}}" : tag, (field) => tagField(record, field));
}

function chosen(pairs: readonly [string, string][], names = "", matching: RegExp | undefined): [string, string][] {
  const wanted = new Set(names.split(","));
  return pairs.filter(([name]) => name !== "" && (wanted.has(name) || (matching?.test(name) ?? false)));
}

/** As Go's url.QueryEscape. */
function queryEscape(text: string): string {
  return encodeURIComponent(text)
    .replaceAll("%20", "+")
    .replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}

function tagField({ id, name, imageId, config, path, args }: Described, field: TagField): string {
  switch (field) {
    case "ID":
      return shortId(id);
    case "FullID":
      return id;
    case "Name":
      return name;
    case "FullName":
      return `/${name}`;
    case "ImageID":
      return imageId.replace(/^sha256:/, "").slice(0, 12);
    case "ImageFullID":
      return imageId;
    case "ImageName":
      return config.Image;
    case "Command":
      return [path, ...args].join(" ");
    case "DaemonName":
      return "sampan";
  }
}
