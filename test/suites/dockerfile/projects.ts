import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, realpathSync } from "node:fs";
import { dirname } from "node:path";
import { gzipSync } from "node:zlib";
import type { Files } from "../../support/builds.ts";
import { busybox, type Entry, type TestImage, tar } from "../../support/images.ts";
import { program } from "../../support/requires.ts";

/** Projects as they are, of what is at hand without a public registry: the files of their contexts. */
export type Project = Files;

/** npm with all of V8's compiling on one thread: else one in some hundred does not end (nodejs/node#54918). */
const npmCommand = Buffer.from(
  '#!/bin/sh\nexec node --no-concurrent-recompilation --no-concurrent-sparkplug /lib/npm/bin/npm-cli.js "$@"\n',
);

/** An image with busybox, this machine's Node with the libraries that it loads, and its npm: three layers. */
export async function nodeImage(): Promise<TestImage> {
  const { layers, config } = await busybox();
  const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  const files = [...libraries].map(
    ([, path = ""]): Entry => ({ name: path.slice(1), mode: 0o755, body: readFileSync(path) }),
  );
  const node = await tar([
    ...files,
    { name: "bin/node", mode: 0o755, body: readFileSync(process.execPath) },
    { name: "usr/bin/env", type: "symlink", linkname: "/bin/env" },
    { name: "bin/npm", mode: 0o755, body: npmCommand },
  ]);
  return { layers: [...layers, node, npm()], config };
}

/** This machine's npm at /lib/npm. */
function npm(): Buffer {
  const directory = dirname(dirname(realpathSync(program("npm") ?? "npm")));
  const only = ["--exclude=./docs", "--exclude=./man", "--transform=s,^\\.,lib/npm,"];
  const args = ["--format=pax", "--owner=0", "--group=0", "-C", directory, ...only, "-cf", "-", "."];
  return execFileSync("tar", args, { maxBuffer: 200_000_000 });
}

/** A package as npm packs it; not compressed, so that it is the same with every zlib. */
export async function npmPackage(files: Readonly<Record<string, string>>): Promise<{ tgz: Buffer; integrity: string }> {
  const old = new Date("1985-10-26T08:15:00Z");
  const entries = Object.entries(files).map(([name, body]): Entry => ({ name: `package/${name}`, body, mtime: old }));
  const tgz = gzipSync(await tar(entries), { level: 0 });
  return { tgz, integrity: `sha512-${createHash("sha512").update(tgz).digest("base64")}` };
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;

/** A dependency, and a tool that is needed to build. */
export const nodePackages = {
  greeting: {
    "package.json": json({ name: "greeting", version: "1.0.0", type: "module", exports: "./index.js" }),
    "index.js": 'export const greet = (name) => "hello " + name;\n',
  },
  bundle: {
    "package.json": json({ name: "bundle", version: "1.0.0", type: "module", bin: { bundle: "cli.js" } }),
    "cli.js":
      '#!/usr/bin/env node\nimport { readFileSync } from "node:fs";\n' +
      'console.log("// bundled\\n" + readFileSync(process.argv[2], "utf8"));\n',
  },
} as const;

/** What the sources of the service are, however its dependencies come. */
const nodeSources: Project = {
  ".dockerignore": "node_modules\n.git\n**/*.log\n",
  "src/server.js": 'import { greet } from "greeting";\nconsole.log(greet(process.getuid()), process.env.NODE_ENV);\n',
  "test/greet.js":
    'import test from "node:test";\nimport assert from "node:assert";\nimport { greet } from "greeting";\n' +
    'test("greets", () => assert.equal(greet("x"), "hello x"));\n',
  "node_modules/never": "sent",
  "debug.log": "never sent",
};

/** The stages of the service: dependencies by `install` with npm's `cache`, tests, and an image with only what it needs. */
function nodeDockerfile(cache: string, install: readonly string[]): string[] {
  return [
    "ARG NODE=26",
    "FROM node:$NODE AS base",
    "WORKDIR /app",
    "FROM base AS build",
    // Else npm asks a registry that is not there for its own newest version, and waits for name servers when it ends.
    "ENV NPM_CONFIG_UPDATE_NOTIFIER=false",
    ...install,
    "COPY src src",
    "COPY test test",
    "RUN npm test",
    "RUN npm run build",
    `RUN ${cache} npm prune --omit=dev --offline --no-audit --no-fund`,
    "FROM base",
    "ARG VERSION",
    "ENV NODE_ENV=production",
    'LABEL org.opencontainers.image.version="$VERSION"',
    "COPY --from=build --chown=tester:tester /app/server.js /app/package.json ./",
    "COPY --from=build /app/node_modules node_modules",
    "USER tester",
    "EXPOSE 3000",
    `HEALTHCHECK --interval=1s CMD ["node", "-e", "fetch('http://127.0.0.1:3000')"]`,
    'ENTRYPOINT ["node", "server.js"]',
  ];
}

interface Place {
  /** What package.json says. */
  readonly wanted: string;
  /** Where package-lock.json says that it comes from. */
  readonly resolved: string;
}

/** package.json and package-lock.json of the service. */
async function nodeManifests(placeOf: (name: string) => Place): Promise<Project> {
  const [greeting, bundle] = [await npmPackage(nodePackages.greeting), await npmPackage(nodePackages.bundle)];
  const dependencies = { greeting: placeOf("greeting").wanted };
  const devDependencies = { bundle: placeOf("bundle").wanted };
  const root = { name: "service", version: "1.0.0", dependencies, devDependencies };
  const locked = (name: string, integrity: string) => ({
    version: "1.0.0",
    resolved: placeOf(name).resolved,
    integrity,
  });
  const packages = {
    "": root,
    "node_modules/bundle": { ...locked("bundle", bundle.integrity), dev: true, bin: { bundle: "cli.js" } },
    "node_modules/greeting": locked("greeting", greeting.integrity),
  };
  const scripts = { test: "node --test test/*.js", build: "bundle src/server.js > server.js" };
  return {
    "package.json": json({ ...root, type: "module", scripts }),
    "package-lock.json": json({ name: "service", version: "1.0.0", lockfileVersion: 3, requires: true, packages }),
  };
}

/** A service of Node whose dependencies are packages in a directory of its own. */
export async function nodeService(): Promise<Project> {
  const place = (name: string) => ({
    wanted: `file:vendor/${name}-1.0.0.tgz`,
    resolved: `file:vendor/${name}-1.0.0.tgz`,
  });
  const cache = "--mount=type=cache,target=/root/.npm";
  return {
    ...nodeSources,
    ...(await nodeManifests(place)),
    Dockerfile: nodeDockerfile(cache, [
      "COPY package.json package-lock.json ./",
      "COPY vendor vendor",
      `RUN ${cache} npm ci --offline --no-audit --no-fund`,
    ]),
    "vendor/greeting-1.0.0.tgz": (await npmPackage(nodePackages.greeting)).tgz,
    "vendor/bundle-1.0.0.tgz": (await npmPackage(nodePackages.bundle)).tgz,
  };
}

/** The same, whose dependencies come from the registry that a secret `npmrc` names. */
export async function nodeServiceOfRegistry(registry: string): Promise<Project> {
  const place = (name: string) => ({ wanted: "^1.0.0", resolved: `${registry}/${name}/-/${name}-1.0.0.tgz` });
  const cache = "--mount=type=cache,id=fetched,target=/root/.npm";
  const secret = "--mount=type=secret,id=npmrc,target=/root/.npmrc,required";
  return {
    ...nodeSources,
    ...(await nodeManifests(place)),
    Dockerfile: nodeDockerfile(cache, [
      "COPY package.json package-lock.json ./",
      `RUN --network=host ${cache} ${secret} npm ci --prefer-offline --no-audit --no-fund`,
    ]),
  };
}

/** apt-get installs from the context `mirror`; what it fetches and unpacks its lists into is kept. */
const aptMounts = [
  "RUN --mount=from=mirror,target=/mirror \\",
  "    --mount=type=cache,target=/var/cache/apt,sharing=locked \\",
  "    --mount=type=cache,target=/var/lib/apt,sharing=locked \\",
];
const aptSource =
  "echo 'deb [trusted=yes] file:/mirror ./' > /etc/apt/sources.list && " +
  "echo force-unsafe-io > /etc/dpkg/dpkg.cfg.d/image"; // a layer is written down as a whole

/** Debian's packages that the projects want to find in their mirror. */
export const mirrored: readonly string[] = ["libc6-dev", "make", "postgresql", "tcc"];

/** A program in C with a compiler that apt-get installs, kept objects, and a package that apt-get installs. */
export const cProgram: Project = {
  Dockerfile: [
    "FROM debian:12 AS build",
    ...aptMounts,
    `    ${aptSource} && apt-get update -q && \\`,
    "    apt-get install -y --no-install-recommends libc6-dev make tcc",
    "WORKDIR /src",
    "COPY . .",
    "RUN --mount=type=cache,target=/objects make",
    ...["COPY <<EOT /package/DEBIAN/control", "Package: answer", "Version: 1", "Architecture: all"],
    ...["Maintainer: nobody <nobody@example.org>", "Description: tells it", "EOT"],
    "RUN install -D answer /package/usr/bin/answer && dpkg-deb --build --root-owner-group /package /answer.deb",
    "FROM debian:12",
    "RUN --mount=from=build,source=/answer.deb,target=/tmp/answer.deb apt-get install -y /tmp/answer.deb",
    'CMD ["answer"]',
  ],
  Makefile: ["answer: /objects/main.o /objects/number.o", "\ttcc -o $@ $^", "/objects/%.o: %.c", "\ttcc -c -o $@ $<"],
  "main.c": '#include <stdio.h>\nint number(void);\nint main(void) { printf("%d\\n", number()); }\n',
  "number.c": "int number(void) { return 42; }\n",
};

/** PostgreSQL as images have it: a cluster in a volume that the first start makes. */
export const postgres: Project = {
  Dockerfile: [
    "FROM debian:12",
    "ARG DEBIAN_FRONTEND=noninteractive",
    ...aptMounts,
    "<<EOT",
    "set -eu",
    aptSource,
    "apt-get update -q",
    "apt-get install -y --no-install-recommends postgresql-common",
    "sed -i 's/^#create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf",
    "apt-get install -y --no-install-recommends postgresql",
    "EOT",
    "ENV PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/15/bin:/usr/local/bin:$PATH",
    'RUN install -d -o postgres -g postgres -m 700 "$PGDATA" /run/postgresql',
    "COPY --chmod=755 entrypoint /usr/local/bin/",
    "VOLUME /var/lib/postgresql/data",
    "USER postgres",
    "EXPOSE 5432",
    "STOPSIGNAL SIGINT",
    "HEALTHCHECK --interval=1s --start-period=60s CMD pg_isready -q -h 127.0.0.1",
    'ENTRYPOINT ["entrypoint"]',
    `CMD ["postgres", "-c", "listen_addresses=*"]`,
  ],
  entrypoint: [
    "#!/bin/sh",
    "set -eu",
    '[ -s "$PGDATA/PG_VERSION" ] || {',
    "  initdb -A trust",
    '  echo "host all all all trust" >> "$PGDATA/pg_hba.conf"',
    "}",
    'exec "$@"',
  ],
};

/** One context with several services, of which each image has its own part and what is common. */
export const monorepo: Project = {
  Dockerfile: [
    "FROM busybox AS common",
    "COPY packages/common /common",
    "RUN sha256sum /common/* > /common/SUMS",
    "FROM busybox AS api",
    "COPY --from=common /common /srv/common",
    "COPY packages/api /srv/api",
    'CMD ["sh", "/srv/api/run.sh"]',
    "FROM busybox AS web",
    "COPY --from=common --chown=tester /common/*.sh /srv/common/",
    "COPY packages/web /srv/web",
    'CMD ["sh", "/srv/web/run.sh"]',
  ],
  ".dockerignore": "*\n!packages\npackages/*/node_modules\n**/*.md\n!packages/web/README.md\n",
  "packages/common/say.sh": 'say() { echo "$1 says $2"; }\n',
  "packages/common/README.md": "",
  "packages/api/run.sh": '. /srv/common/say.sh\nsay api "$(cd /srv && find . -type f | sort | tr "\\n" " ")"\n',
  "packages/api/node_modules/dependency/index.js": "",
  "packages/web/run.sh": '. /srv/common/say.sh\nsay web "$(cd /srv && find . -type f | sort | tr "\\n" " ")"\n',
  "packages/web/README.md": "",
  "elsewhere/huge": "",
};
