import assert from "node:assert/strict";
import { test } from "node:test";
import type { Port } from "../../api/shapes/container.ts";
import { portsText } from "./ports.ts";

/** `0.0.0.0:8080 80/tcp`, or `80/tcp` for a port that is exposed only. */
function port(text: string): Port {
  const [, IP, outside, inside, Type = ""] = /^(?:(\S+):(\d+) )?(\d+)\/(\w+)$/.exec(text) ?? [];
  const published = IP === undefined ? {} : { IP, PublicPort: Number(outside) };
  return { ...published, PrivatePort: Number(inside), Type };
}

// What docker 28.2 prints of the same ports.
const shown: readonly (readonly [ports: readonly string[], text: string])[] = [
  [[], ""],
  [["80/tcp"], "80/tcp"],
  [["0.0.0.0:8080 80/tcp", ":::8080 80/tcp"], "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp"],
  [["127.0.0.1:8080 80/tcp", "::1:8081 80/tcp"], "127.0.0.1:8080->80/tcp, [::1]:8081->80/tcp"],
  [["0.0.0.0:80 80/tcp", "0.0.0.0:81 81/tcp", "0.0.0.0:443 443/tcp"], "0.0.0.0:80-81->80-81/tcp, 0.0.0.0:443->443/tcp"],
  [["80/tcp", "81/tcp", "82/tcp", "90/udp"], "80-82/tcp, 90/udp"],
  [
    ["0.0.0.0:80 80/tcp", "0.0.0.0:91 81/tcp", "0.0.0.0:82 82/tcp"],
    "0.0.0.0:80->80/tcp, 0.0.0.0:82->82/tcp, 0.0.0.0:91->81/tcp",
  ],
  [["0.0.0.0:82 82/tcp", "0.0.0.0:80 80/tcp", "0.0.0.0:81 81/tcp"], "0.0.0.0:80-82->80-82/tcp"],
  [
    ["0.0.0.0:53 53/udp", "0.0.0.0:53 53/tcp", "0.0.0.0:54 54/tcp", ":::53 53/udp"],
    "0.0.0.0:53-54->53-54/tcp, 0.0.0.0:53->53/udp, [::]:53->53/udp",
  ],
  [
    ["0.0.0.0:8080 80/tcp", "127.0.0.1:8081 80/tcp", "443/tcp", "444/tcp"],
    "443-444/tcp, 0.0.0.0:8080->80/tcp, 127.0.0.1:8081->80/tcp",
  ],
  [
    ["0.0.0.0:443 443/tcp", "0.0.0.0:80 80/tcp", "8080/tcp", "22/tcp"],
    "0.0.0.0:80->80/tcp, 22/tcp, 8080/tcp, 0.0.0.0:443->443/tcp",
  ],
  [["80/tcp", "0.0.0.0:81 81/tcp", "82/tcp"], "80/tcp, 82/tcp, 0.0.0.0:81->81/tcp"],
];

for (const [ports, text] of shown) {
  test(`PORTS ${text}`, () => assert.equal(portsText(ports.map(port)), text));
}
