import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { buildContext } from "../support/builds.ts";
import { busybox, debian, type Entry, tar } from "../support/images.ts";
import { requires } from "../support/requires.ts";
import { sandbox } from "../support/sandbox.ts";

/** Dockerfiles as projects have them, of what is at hand without a public registry. */
const box = sandbox({ start: true });

const run = (image: string, ...words: string[]) => box.ok("run", "--rm", "--network", "none", image, ...words);

/** This machine's Node with the libraries that it loads. */
async function nodeLayer(): Promise<Buffer> {
  const libraries = execFileSync("ldd", [process.execPath], { encoding: "utf8" }).matchAll(/(\/\S+) \(0x/g);
  const files = [...libraries].map(
    ([, path = ""]): Entry => ({ name: path.slice(1), mode: 0o755, body: readFileSync(path) }),
  );
  return await tar([...files, { name: "bin/node", mode: 0o755, body: readFileSync(process.execPath) }]);
}

suite("projects", requires("busybox", "debootstrap", "ldd"), () => {
  test("a service of Node in stages: tests run, only what is needed is delivered", async () => {
    const { layers, config } = await busybox();
    await box.load({ layers: [...layers, await nodeLayer()], config }, "node:26");
    const directory = buildContext(box, {
      Dockerfile: [
        "ARG NODE=26",
        "FROM node:$NODE AS base",
        "WORKDIR /app",
        "ENV NODE_ENV=production",
        "FROM base AS build",
        "COPY package.json ./",
        "COPY greeting ./node_modules/greeting",
        "COPY src src",
        "COPY test test",
        "RUN node --test test/*.js",
        "RUN --mount=type=cache,target=/root/.cache node src/bundle.js > server.js",
        "FROM base",
        "ARG VERSION",
        'LABEL org.opencontainers.image.version="$VERSION"',
        "COPY --from=build --chown=tester:tester /app/server.js /app/package.json ./",
        "COPY --from=build /app/node_modules node_modules",
        "USER tester",
        "EXPOSE 3000",
        'HEALTHCHECK --interval=1s CMD ["node", "-e", "fetch(\'http://127.0.0.1:3000\')"]',
        'ENTRYPOINT ["node", "server.js"]',
      ],
      ".dockerignore": "node_modules\n.git\n**/*.log\n",
      "package.json":
        '{"name":"service","version":"1.0.0","type":"module","dependencies":{"greeting":"file:greeting"}}\n',
      "greeting/package.json": '{"name":"greeting","version":"1.0.0","type":"module","exports":"./index.js"}\n',
      "greeting/index.js": 'export const greet = (name) => "hello " + name;\n',
      "src/server.js":
        'import { greet } from "greeting";\nconsole.log(greet(process.getuid()), process.env.NODE_ENV);\n',
      "src/bundle.js":
        'import { readFileSync } from "node:fs";\nconsole.log("// bundled\\n" + readFileSync("src/server.js", "utf8"));\n',
      "test/greet.js":
        'import test from "node:test";\nimport assert from "node:assert";\nimport { greet } from "greeting";\ntest("greets", () => assert.equal(greet("x"), "hello x"));\n',
      "node_modules/never": "sent",
      "debug.log": "never sent",
    });
    await box.ok("build", "--build-arg", "VERSION=1.2", "-t", "service", directory);
    assert.equal(await run("service"), "hello 1000 production");
    const [image] = JSON.parse(await box.ok("image", "inspect", "service"));
    assert.equal(image.Config.Labels["org.opencontainers.image.version"], "1.2");
    assert.equal(
      await box.ok("run", "--rm", "--entrypoint", "ls", "--network", "none", "service"),
      "node_modules\npackage.json\nserver.js",
    );
  });

  test("a program in C: compiled with kept objects, packaged, installed with apt-get", async () => {
    await box.load(await debian(["libc6-dev", "make", "tcc"]), "debian:12");
    const directory = buildContext(box, {
      Dockerfile: [
        "FROM debian:12 AS build",
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
      Makefile: [
        "answer: /objects/main.o /objects/number.o",
        "\ttcc -o $@ $^",
        "/objects/%.o: %.c",
        "\ttcc -c -o $@ $<",
      ],
      "main.c": '#include <stdio.h>\nint number(void);\nint main(void) { printf("%d\\n", number()); }\n',
      "number.c": "int number(void) { return 42; }\n",
    });
    await box.ok("build", "-t", "answer", directory);
    assert.equal(await run("answer"), "42");
    assert.match(await run("answer", "dpkg", "-s", "answer"), /Status: install ok installed/);
    const again = await box.run(["build", "--no-cache", "--target", "build", "--progress", "plain", directory]);
    assert.equal(again.status, 0, again.stderr);
    assert.doesNotMatch(again.stderr, /tcc -c/, "objects are kept between builds");
  });

  test("a monorepo: one context, a target for each service, common files from a stage", async () => {
    await box.load(await busybox(), "busybox:latest");
    const directory = buildContext(box, {
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
    });
    await box.ok("build", "--target", "api", "-t", "api", directory);
    await box.ok("build", "--target", "web", "-t", "web", directory);
    assert.equal(await run("api"), "api says ./api/run.sh ./common/SUMS ./common/say.sh ");
    assert.equal(await run("web"), "web says ./common/say.sh ./web/README.md ./web/run.sh ");
  });
});
