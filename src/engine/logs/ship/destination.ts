import { isIP } from "node:net";
import { SampanError } from "../../../errors/index.ts";
import type { LogConfig } from "../../config.ts";

/** Where systemd-journald takes datagrams of its native protocol. */
export const journalSocket = "/run/systemd/journal/socket";

/** Where the machine's own syslog listens. */
const localSyslog = "/dev/log";

/** Where syslog's lines go, and how they look. */
export interface SyslogDestination {
  /** A path, or a host and a UDP port. */
  readonly to: string | { readonly host: string; readonly port: number };
  /** "", "rfc3164", "rfc5424" or "rfc5424micro". */
  readonly format: string;
  readonly facility: number;
}

/** The options of the driver syslog, checked. Throws `invalid` with dockerd's texts, `unsupported` for TCP and TLS. */
export function syslogDestination(options: LogConfig["Config"]): SyslogDestination {
  return {
    to: parseAddress(options["syslog-address"]),
    format: checkFormat(options["syslog-format"]),
    facility: parseFacility(options["syslog-facility"]),
  };
}

function parseAddress(text: string | undefined): SyslogDestination["to"] {
  if (text === undefined || text === "") return localSyslog;
  const [, scheme = "", rest = ""] = /^(\w+(?:\+\w+)?):\/\/(.+)$/.exec(text) ?? [];
  if (scheme === "unixgram" || scheme === "unix") {
    if (rest.startsWith("/")) return rest;
    throw new SampanError("invalid", `Cannot use syslog-address ${text}: it names no absolute path`);
  }
  if (scheme === "udp") {
    const [, v6, name, port = "514"] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(rest) ?? [];
    const host = v6 ?? name;
    if (host !== undefined && (v6 === undefined || isIP(v6) === 6) && Number(port) > 0 && Number(port) < 65536) {
      return { host, port: Number(port) };
    }
    throw new SampanError("invalid", `Cannot use syslog-address ${text}: it is no host and port`);
  }
  if (scheme === "tcp" || scheme === "tcp+tls") {
    const remedy = "have a syslog of this machine pass them on, or name a UDP port";
    throw new SampanError(
      "unsupported",
      `Cannot honour syslog-address ${text}: lines are sent as datagrams; ${remedy}`,
    );
  }
  throw new SampanError("invalid", `unsupported transport: '${scheme}'`);
}

const facilities = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp"],
  ...["", "", "", "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];

/** "daemon" or a number. Throws `invalid`. */
function parseFacility(text: string | undefined): number {
  if (text === undefined || text === "") return facilities.indexOf("daemon");
  const number = /^\d+$/.test(text) ? Number(text) : facilities.indexOf(text);
  if (number >= 0 && number <= 23) return number;
  throw new SampanError("invalid", "invalid syslog facility");
}

/** Throws `invalid`, with dockerd's text, for a format that is none. */
function checkFormat(format: string | undefined): string {
  if (["", "rfc3164", "rfc5424", "rfc5424micro"].includes(format ?? "")) return format ?? "";
  throw new SampanError("invalid", `Invalid syslog format: ${format}`);
}
