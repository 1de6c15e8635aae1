import { SampanError } from "../../errors/index.ts";

/** EXPOSE's words ("80", "80/udp", "8000-8002") as keys of ExposedPorts. Errors with Docker's text. */
export function exposedPorts(words: readonly string[]): string[] {
  return words.filter((word) => word !== "").flatMap(portsOf);
}

function portsOf(word: string): string[] {
  const [, container = "", protocol = "tcp"] = /^([^/]*)(?:\/(.*))?$/.exec(word) ?? [];
  // "host:container" is what -p takes; EXPOSE keeps the container's.
  const range = container.split(":").at(-1) ?? "";
  const [, from = "", to = from] = /^(\d+)(?:-(\d+))?$/.exec(range) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === "" || first > last || last > 65535 || !/^(tcp|udp|sctp)$/i.test(protocol)) {
    throw new SampanError("invalid", `invalid containerPort: ${word}`);
  }
  return Array.from({ length: last - first + 1 }, (_, index) => `${first + index}/${protocol.toLowerCase()}`);
}
