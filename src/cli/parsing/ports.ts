import { isIP } from "node:net";
import type { PortBindingRequest } from "../../api/shapes/container.ts";
import { invalid } from "../errors.ts";
import { parseCsv } from "./csv.ts";

/** A port of the container as the API writes it, "80/tcp", and where on the machine it is to be found. */
export interface Publication {
  readonly port: string;
  readonly binding: PortBindingRequest;
}

interface Range {
  readonly from: number;
  readonly to: number;
}

const protocols: readonly string[] = ["tcp", "udp", "sctp"];
const highest = 65535;

/**
 * `-p [[ip:][hostPort]:]containerPort[/proto]`, where either port may be a range, or the long form
 * `-p target=80,published=8080,protocol=udp`. Throws with docker's texts.
 */
export function parsePublish(text: string): Publication[] {
  return publications(text.includes("=") ? asShortForm(text) : text);
}

function publications(text: string): Publication[] {
  const { address, host, container, protocol } = pieces(text);
  if (container === "") throw invalid(`no port specified: ${text}<empty>`);
  const inside = range(container);
  if (inside === undefined) throw invalid(`invalid containerPort: ${container}`);
  const outside = host === "" ? undefined : range(host);
  if (host !== "" && outside === undefined) throw invalid(`invalid hostPort: ${host}`);
  const count = inside.to - inside.from;
  // One port of the container may get any of a range of the machine's: the daemon chooses a free one.
  const anyOf = count === 0 && outside !== undefined && outside.to > outside.from;
  if (outside !== undefined && !anyOf && outside.to - outside.from !== count) {
    throw invalid(`invalid ranges specified for container and host Ports: ${container} and ${host}`);
  }
  if (!protocols.includes(protocol)) throw invalid(`invalid proto: ${protocol}`);
  return Array.from({ length: count + 1 }, (_, index) => ({
    port: `${inside.from + index}/${protocol}`,
    binding: { HostIp: address, HostPort: anyOf ? host : outside === undefined ? "" : String(outside.from + index) },
  }));
}

function pieces(text: string): { address: string; host: string; container: string; protocol: string } {
  const [ports = "", ...rest] = text.split("/");
  const parts = ports.split(":");
  const container = parts.pop() ?? "";
  const host = parts.pop() ?? "";
  const address = parts.join(":").replace(/^\[(.*)\]$/, "$1");
  if (address !== "" && (isIP(address) === 0 || address.includes("%"))) throw invalid(`invalid IP address: ${address}`);
  return { address, host, container, protocol: rest.join("/").toLowerCase() || "tcp" };
}

/** "80" or "80-90"; undefined when it is neither. */
function range(text: string): Range | undefined {
  const [, first = "", last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  if (first === "") return undefined;
  const [from, to] = [Number(first), Number(last)];
  return from <= to && to <= highest ? { from, to } : undefined;
}

/** The fields of the long form, which docker shares with services; only one mode of publishing is there. */
function asShortForm(text: string): string {
  const fields: Record<string, string> = { target: "", published: "", protocol: "tcp" };
  for (const field of parseCsv(text)) {
    const at = field.indexOf("=");
    const key = (at < 0 ? field : field.slice(0, at)).toLowerCase();
    if (at < 0) throw invalid(`invalid field format: ${field}, should be key=value`);
    if (key === "mode" && ["host", "ingress"].includes(field.slice(at + 1))) continue;
    if (fields[key] === undefined) throw invalid(`invalid field ${field} in ${text}: use target, published, protocol`);
    fields[key] = field.slice(at + 1);
  }
  const { target, published, protocol } = fields;
  return `${published === "" ? "" : `${published}:`}${target}/${protocol}`;
}

/** `--expose 80`, `--expose 8000-8010/udp`: ports in the API's `port/protocol` form. */
export function parseExpose(text: string): string[] {
  if (text.includes(":")) throw invalid(`invalid port format for --expose: ${text}`);
  const [ports = "", protocol = "tcp"] = text.toLowerCase().split("/", 2);
  const exposed = range(ports);
  if (exposed === undefined || exposed.from === 0) {
    throw invalid(`invalid range format for --expose: ${text}, error: ${faultOf(ports)}`);
  }
  if (!protocols.includes(protocol))
    throw invalid(`invalid range format for --expose: ${text}, error: invalid proto: ${protocol}`);
  return Array.from({ length: exposed.to - exposed.from + 1 }, (_, index) => `${exposed.from + index}/${protocol}`);
}

function faultOf(ports: string): string {
  if (ports === "") return "empty string specified for ports";
  const [first = "", last] = ports.split("-", 2);
  for (const number of last === undefined ? [first] : [first, last]) {
    if (!/^\d+$/.test(number)) return `parsing ${JSON.stringify(number)}: invalid syntax`;
    if (Number(number) > highest) return `parsing ${JSON.stringify(number)}: value out of range`;
  }
  return `invalid range specified for port: ${ports}`;
}
