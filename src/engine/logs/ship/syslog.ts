import { hostname } from "node:os";
import { rfc3339Fixed } from "../../time.ts";
import type { Line } from "./lines.ts";

const ERR = 3;
const INFO = 6;

/** How lines are written: `syslog-format`, `syslog-facility` and `tag`. */
export interface SyslogStyle {
  readonly format: string;
  readonly facility: number;
  readonly tag: string;
}

/** A message of a line: RFC 5424, RFC 3164, or without a format what the machine's own syslog reads. */
export function syslogMessage(line: Line, { format, facility, tag }: SyslogStyle): Buffer {
  const priority = `<${facility * 8 + (line.stream === 2 ? ERR : INFO)}>`;
  const head = () => {
    if (format === "rfc5424" || format === "rfc5424micro") {
      const time = rfc3339Fixed(line.time);
      const shown = format === "rfc5424" ? time.replace(/\.\d+/, "") : time.replace(/(\.\d{6})\d*/, "$1");
      return `${priority}1 ${shown} ${hostname()} ${tag} ${process.pid} ${tag} - `;
    }
    const host = format === "rfc3164" ? `${hostname()} ` : "";
    return `${priority}${stamp(line.time)} ${host}${tag}[${process.pid}]: `;
  };
  return Buffer.concat([Buffer.from(head()), line.text]);
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "Nov  1 09:05:00", of the machine's time zone. */
function stamp(time: bigint): string {
  const date = new Date(Number(time / 1_000_000n));
  const two = (number: number) => String(number).padStart(2, "0");
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(":");
  return `${months[date.getMonth()]} ${String(date.getDate()).padStart(2)} ${clock}`;
}
