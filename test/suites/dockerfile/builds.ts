import { gzipSync } from "node:zlib";
import { type Entry, tar } from "../../support/images.ts";
import { monorepo, nodeService, type Project } from "./projects.ts";

/** Dockerfiles that are built, with what is beside them; the base is test/support's busybox. */
export interface Build {
  readonly name: string;
  readonly lines: readonly string[];
  /** In the archive that is the context. */
  readonly files?: readonly Entry[];
  /** The context is a directory with these files: what it ignores counts. */
  readonly project?: Project;
  /** How many layers are the base's, if it is not busybox. */
  readonly bases?: number;
  /** Further words of the command line. */
  readonly args?: readonly string[];
  /** The name under which later ones have it as their base. */
  readonly keep?: string;
}

const old = new Date(1_000_000_000_000);
const file = (name: string, body = name, rest: Partial<Entry> = {}): Entry => ({ name, body, mtime: old, ...rest });
const directory = (name: string, mode = 0o755): Entry => ({ name, type: "directory", mode, mtime: old });
const link = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname, mtime: old });

/** `cap_net_bind_service=ep`, as capabilities(7) keeps it in a file's attribute. */
const capability = Buffer.from("0100000200040000000000000000000000000000", "hex").toString("latin1");

async function archive(): Promise<Buffer> {
  return await tar([
    { name: "tree", type: "directory", mode: 0o750, uid: 3, gid: 4, mtime: old },
    file("tree/file", "in an archive", { uid: 5, gid: 6, mode: 0o4711 }),
    { name: "tree/link", type: "symlink", linkname: "file", mtime: old },
    { name: "tree/hard", type: "link", linkname: "tree/file", uid: 5, gid: 6, mode: 0o4711, mtime: old },
    { name: "tree/pipe", type: "fifo", mode: 0o600, mtime: old },
    file("tree/able", "able", { mode: 0o755, pax: { "SCHILY.xattr.security.capability": capability } }),
  ]);
}

/** The context of a build, an archive. */
export async function contextOf({ lines, files = [] }: Build): Promise<Buffer> {
  return await tar([file("Dockerfile", `${lines.join("\n")}\n`), ...files]);
}

const tree = [
  file("a", "a\n", { mode: 0o600 }),
  file("b", "b\n", { mode: 0o755 }),
  directory("d", 0o700),
  file("d/one.txt"),
  file("d/two.md"),
  directory("d/deep", 0o1777),
  file("d/deep/three.txt"),
  link("l", "a"),
  link("to-d", "d"),
  file("sp ace"),
];

export async function builds(): Promise<readonly Build[]> {
  const packed = await archive();
  const archives = [file("a.tar", "", { body: packed }), file("a.tar.gz", "", { body: gzipSync(packed) })];
  return [
    {
      name: "configuration",
      lines: [
        "FROM busybox",
        "ARG A=1 B",
        'ARG C="x y"',
        'ENV E1=a E2="b c" E3=$A',
        "ENV OLD form of it",
        'LABEL l1=v1 "l 2"="v 2" l3=$E1',
        "WORKDIR /w",
        "WORKDIR rel/$A",
        `EXPOSE 80 53/udp 8000-8002 \${P:-99}`,
        'VOLUME /data "/q" /v2',
        "STOPSIGNAL SIGINT",
        'HEALTHCHECK --interval=30s --timeout=5s --start-period=1m --start-interval=2s --retries=4 CMD ["a", "b"]',
        'SHELL ["/bin/sh", "-ec"]',
        "CMD echo hi",
        'ENTRYPOINT ["/bin/x", "$A"]',
        "ONBUILD RUN echo child",
        "ONBUILD COPY a b",
        "MAINTAINER me <me@x>",
        "STOPSIGNAL 9",
        "USER 1000:1000",
      ],
      args: ["--label", "cli=1", "--build-arg", "A=2"],
    },
    { name: "no command, no health check", lines: ["FROM busybox", "HEALTHCHECK NONE", "CMD []", "ENTRYPOINT x"] },
    { name: "an entry point ends the base's command", lines: ["FROM busybox", 'ENTRYPOINT ["/bin/x"]', "USER tester"] },
    {
      name: "variables",
      lines: [
        "FROM busybox",
        "ENV A=env",
        "ARG A=arg",
        "RUN echo $A > /a",
        "ARG B=1",
        "ENV B=2",
        "RUN echo $B > /b",
        "ARG C",
        `ARG D=\${C:-dflt}`,
        'RUN echo "$C|$D|$TARGETPLATFORM" > /c',
        `ENV E="quo'te" F='sing"le' G=back\\\\slash H="a\\"b" I=a\\ b`,
        `ENV J=\${E%te} K=\${A/en/xx} L=\${A:+set} M=\${NONE-none} N=\${A#e}`,
        "ENV ABC=hello",
        "ENV ABC=bye DEF=$ABC",
      ],
    },
    {
      name: "RUN",
      lines: [
        "FROM busybox",
        "ARG V=1",
        "ARG EMPTY",
        "ENV P=q",
        "RUN echo $V $P > /one; mkdir -p /d/e; chmod 750 /d; chown 5:6 /d/e; ln -s one /link; mkfifo /ff",
        'RUN ["/bin/sh", "-c", "echo words > /two"]',
        "RUN rm /one && rm -rf /d/e",
        ...["RUN <<EOT", "echo heredoc > /three", "EOT"],
        ...["RUN <<-EOT cat > /four", "\ttabbed", "\tEOT"],
        ...["RUN <<EOT", "#!/bin/sh", "echo script > /five", "EOT"],
        "WORKDIR /made/by/workdir",
        "RUN pwd > /six",
        "RUN touch -d @5 /old; ln /old /hard; mknod /null c 1 3",
        "USER 7",
        "RUN id -u > /tmp/seven",
        "WORKDIR /made/by/user",
        'SHELL ["/bin/sh", "-xec"]',
        "RUN echo $0 > /tmp/shell",
        "USER tester:extra",
        "RUN id -G > /tmp/groups; echo $HOME >> /tmp/groups",
      ],
    },
    {
      name: "RUN replaces and removes what lower layers have",
      lines: [
        "FROM busybox",
        "RUN echo a > /a && echo x > /etc/new && rm -rf /var && mkdir -p /var/new && chmod 1777 /var/new && chown 3:4 /var/new",
        "RUN mv /etc/new /etc/newer",
        "RUN rm -rf /etc/newer /a",
        "RUN mkdir /a && touch -d @5 /a/old && ln /a/old /a/hard",
        "RUN rm /bin/awk && mkdir /bin/awk",
      ],
    },
    {
      name: "RUN --mount and --network",
      lines: [
        "FROM busybox AS src",
        "RUN mkdir /s && echo s > /s/f",
        "FROM busybox",
        "RUN --mount=type=bind,target=/ctx ls -A /ctx > /listing",
        "RUN --mount=from=src,source=/s,target=/m cat /m/f > /from",
        "RUN --mount=type=bind,from=src,source=/s,target=/m,rw echo x > /m/new; ls /m > /rw",
        "RUN --mount=type=cache,target=/c echo 1 > /c/x",
        "RUN --mount=type=cache,target=/c cat /c/x > /cached",
        "RUN --mount=type=cache,target=/c2,mode=0700,uid=3,gid=4 stat -c '%a %u %g' /c2 > /c2stat",
        "RUN --mount=type=tmpfs,target=/t,size=1m df /t | tail -1 | awk '{print $2}' > /tsize",
        "RUN --mount=type=secret,id=none test ! -e /run/secrets/none && echo ok > /nosecret",
        "RUN --network=none ls /sys/class/net > /nets",
      ],
      files: [file("x")],
    },
    {
      name: "COPY",
      lines: [
        "FROM busybox",
        "COPY a /",
        "COPY a new/",
        "COPY a d /dst/",
        "COPY d/ /dst2",
        "COPY d/*.txt *b /globs/",
        "COPY --chown=1:2 a /owned",
        "COPY --chown=tester d /named",
        "COPY --chmod=640 a /moded",
        "COPY --chmod=4755 a /suid",
        "COPY --link a /linked/a",
        "COPY --link --chown=3:4 --chmod=700 d /linked2",
        "COPY . /all",
        ...['COPY <<E1 <<"E2" /here/', "one $PATH", "E1", "two $PATH", "E2"],
        ...["COPY <<E /single", "x", "E"],
        "WORKDIR /wd",
        "COPY a rel",
        "COPY a ./reldir/",
        "COPY l /followed",
        "COPY to-d /followed-d",
        'COPY ["a", "sp ace", "/json/"]',
        "COPY d/../a /dots",
        "COPY no-* /none/",
        "COPY [ab] /brackets/",
        "USER 12",
        "COPY a /tmp/as-user",
      ],
      files: tree,
    },
    {
      name: "COPY onto what is there",
      lines: [
        "FROM busybox",
        "RUN mkdir /exists && ln -s /exists /link && mkdir -p /p/q && chmod 700 /p && echo old > /exists/a",
        "COPY a b /exists/",
        "COPY a /link/new",
        "COPY d /link",
        "COPY d /p/q/r/",
        "COPY d /exists",
      ],
      files: tree,
    },
    {
      name: "ADD",
      lines: [
        "FROM busybox",
        "ADD a.tar /unpacked/",
        "ADD a.tar.gz a /both/",
        "ADD --chown=8:9 a.tar /owned/",
        "COPY a.tar /kept",
        "ADD d /d",
        "RUN rm /unpacked/tree/hard",
      ],
      files: [...tree, ...archives],
    },
    {
      name: "stages",
      lines: [
        "ARG BASE=busybox",
        "ARG GLOBAL=g",
        "FROM $BASE AS one",
        "ARG GLOBAL",
        "ARG OVER=1",
        "RUN echo $GLOBAL $OVER > /one",
        "ENV KEPT=yes",
        "LABEL first=1",
        "FROM one AS two",
        "RUN echo $OVER $KEPT > /two",
        "ADD a.tar /",
        "FROM busybox AS never",
        "RUN false",
        "FROM scratch AS three",
        "COPY --from=busybox /etc /etc",
        "COPY --from=two /one /two /",
        "COPY --from=two /tree /tree",
        "COPY --from=0 /one /zero",
        "ENV X=1",
        "FROM three",
        'CMD ["/bin/sh"]',
      ],
      args: ["--build-arg", "OVER=2"],
      files: archives,
    },
    {
      name: "a base with things for later",
      lines: [
        "FROM busybox",
        "ONBUILD COPY x /x",
        "ONBUILD RUN echo run > /run-later",
        "ONBUILD ENV OB=1",
        "VOLUME /v",
      ],
      files: [file("x")],
      keep: "with-onbuild",
    },
    { name: "ONBUILD", lines: ["FROM with-onbuild", "RUN echo $OB > /ob; mkdir /v; touch /v/x"], files: [file("x")] },
    {
      name: "COPY and ADD with their further flags",
      lines: [
        "FROM --platform=$BUILDPLATFORM busybox",
        "COPY --exclude=*.md --exclude=deep d /without/",
        "COPY --exclude=**/*.txt . /nowhere/",
        "COPY --link --exclude=one.txt d /linked/",
        "ADD --chmod=600 --chown=1:2 a /moded",
        "ADD --link a.tar /linked2/",
        "ADD --unpack=false a.tar /kept/",
        "ADD --unpack a.tar.gz /unpacked/",
        "ADD --exclude=two.md d /d",
        ...["ADD <<E /here", "text", "E"],
        ...["COPY --chmod=755 --chown=tester <<'E' /script", "echo $0", "E"],
      ],
      files: [...tree, ...archives],
    },
    {
      name: "RUN with its further flags",
      lines: [
        "FROM busybox AS files",
        "RUN mkdir /f && echo 1 > /f/1",
        "FROM busybox",
        "RUN --network=none --mount=type=tmpfs,target=/t touch /t/x /x",
        "RUN --mount=type=cache,id=a,target=/a,from=files,source=/f ls /a > /cached",
        "RUN --mount=type=cache,id=b,target=/b,sharing=locked,readonly touch /b/x || echo read-only > /locked",
        "RUN --mount=type=bind,from=files,source=/f/1,target=/one cat /one > /copied",
        'RUN --mount=type=secret,id=none,env=NONE echo "<$NONE>" > /none',
        "ARG WHERE=/f",
        "RUN --mount=from=files,source=$WHERE,target=/g ls /g > /listed",
      ],
    },
    {
      name: "what is ignored",
      lines: [],
      project: {
        Dockerfile: ["FROM busybox", "COPY . /all", "COPY kept* /kept/", "ADD docs /docs"],
        ".dockerignore": [
          "# a remark",
          "*.log",
          "**/*.tmp",
          "!kept.tmp",
          "secret",
          "docs/**",
          "!docs/README.md",
          "/slash",
          " spaced ",
          "a?c",
          "[x-z]1",
          "sub/../up",
          "deep/*/only",
        ],
        "a.log": "",
        "sub/b.log": "",
        "c.tmp": "",
        "sub/d.tmp": "",
        "kept.tmp": "",
        "secret/key": "",
        "sub/secret": "",
        "docs/README.md": "",
        "docs/guide/one.md": "",
        slash: "",
        spaced: "",
        abc: "",
        abbc: "",
        x1: "",
        w1: "",
        up: "",
        "deep/a/only": "",
        "deep/a/b/only": "",
      },
    },
    {
      name: "a Dockerfile's own ignore file",
      lines: [],
      args: ["-f", "other/Dockerfile"],
      project: {
        "other/Dockerfile": ["FROM busybox", "COPY . /all"],
        "other/Dockerfile.dockerignore": "*\n!a\n",
        ".dockerignore": "a\n",
        a: "",
        b: "",
      },
    },
    {
      name: "a service of Node",
      lines: [],
      bases: 3,
      args: ["--build-arg", "VERSION=1.2"],
      project: await nodeService(),
    },
    { name: "a monorepo's one service", lines: [], args: ["--target", "api"], project: monorepo },
    { name: "a monorepo's other service", lines: [], args: ["--target", "web"], project: monorepo },
    { name: "commands that change nothing", lines: ["FROM busybox", "RUN true", 'RUN ["true"]', "WORKDIR /bin"] },
  ];
}
