import { connect } from "node:net";
import { debian, dockerArchive } from "./images.ts";

/** Names of the image of a Debian with PostgreSQL and Redis, as a project would have two. */
export const services = { postgres: "postgres:15", redis: "redis:7" } as const;

/** That image, as docker load wants it. */
export async function servicesArchive(): Promise<Buffer> {
  const image = await debian(["postgresql", "redis-server"]);
  return await dockerArchive(image, Object.values(services));
}

const bin = "/usr/lib/postgresql/15/bin";
const cluster = `${bin}/initdb -D /tmp/db -A trust >/dev/null && echo 'host all all all trust' >>/tmp/db/pg_hba.conf`;

/** Serves databases on port 5432, as the user postgres; the first start makes them. */
export const postgresCommand: readonly string[] = [
  "sh",
  "-c",
  `[ -e /tmp/db ] || { ${cluster}; } && exec ${bin}/postgres -D /tmp/db -k /tmp -c 'listen_addresses=*'`,
];

/** Serves on port 6379, without files. */
export const redisCommand: readonly string[] = [
  "redis-server",
  "--bind",
  "0.0.0.0",
  "--save",
  "",
  "--protected-mode",
  "no",
];

/** What a server says first to these bytes. */
export function ask(host: string, port: number, bytes: string | Uint8Array): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, host, () => socket.write(bytes));
  socket.once("error", reject);
  socket.once("data", (chunk) => {
    resolve(chunk.toString());
    socket.destroy();
  });
  socket.once("end", () => reject(new Error(`${host}:${port} has closed the connection`)));
  return promise;
}

/** PostgreSQL's request for TLS: the answer is one letter, N where it has no certificate. */
export const wantsTls: Uint8Array = Uint8Array.from([0, 0, 0, 8, 4, 210, 22, 47]);
