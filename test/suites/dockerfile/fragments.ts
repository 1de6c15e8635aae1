/**
 * Dockerfiles, each about one thing, and what must come of them. The parser is tested against them, and the same texts go
 * through Docker's builder (`--check`), which proves that the expectations are Docker's.
 */
export interface Fragment {
  readonly name: string;
  /** The whole file; without `FROM` at its beginning, `FROM scratch` is put above. */
  readonly text: string;
  /** Parts of the last instruction as data; or what is refused, with the place as `line:column`. */
  readonly instruction?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly at: string; readonly reason: RegExp };
  /** Docker decides differently here, and why that is well so. */
  readonly unlikeDocker?: string;
  /** Why the builder that was asked cannot tell: it would fetch something, or is older than the feature. */
  readonly elsewhere?: "network" | "newer";
}

const word = (raw: string) => ({ raw });
const shell = (text: string) => ({ form: "shell", text });
const exec = (...args: string[]) => ({ form: "exec", args });
const path = (raw: string) => ({ kind: "path", path: { raw } });
const pair = (key: string, value: string) => ({ key: { raw: key }, value: { raw: value } });
const field = (key: string, raw: string) => ({ key, value: { raw } });

/** The file that a fragment stands for. */
export function fragmentText({ text }: Fragment): string {
  return /^\s*(?:#|\\|from|arg|$)/i.test(text) ? text : `FROM scratch\n${text}`;
}

export const fragments: readonly Fragment[] = [
  // Lines
  { name: "a line goes on", text: "RUN a \\\n  b", instruction: { command: shell("a   b") } },
  { name: "spaces after the escape", text: "RUN a \\ \t\n b", instruction: { command: shell("a  b") } },
  { name: "an escaped escape does not go on", text: "RUN a \\\\\nRUN b", instruction: { command: shell("b") } },
  { name: "a comment within", text: "RUN a \\\n # no\n b", instruction: { command: shell("a  b") } },
  { name: "an empty line within", text: "RUN a \\\n\n b", instruction: { command: shell("a  b") } },
  { name: "the end within", text: "RUN a \\", instruction: { command: shell("a") } },
  { name: "windows line ends", text: "RUN a \\\r\n b\r\n", instruction: { command: shell("a  b") } },
  { name: "indented instruction", text: "   RUN a", instruction: { command: shell("a") } },
  { name: "lower case", text: "run a", instruction: { kind: "RUN", command: shell("a") } },
  { name: "a hash within a line is text", text: "RUN a # b", instruction: { command: shell("a # b") } },
  {
    name: "backquote as escape",
    text: "# escape=`\nFROM scratch\nRUN a `\n b\\",
    instruction: { command: shell("a  b\\") },
  },
  { name: "byte order mark", text: "\uFEFFFROM scratch AS b", instruction: { kind: "FROM", name: "b" } },
  {
    name: "unknown instruction",
    text: "RUNN a",
    error: { at: "2:1", reason: /^unknown instruction: RUNN \(did you mean RUN\?\)$/ },
  },
  {
    name: "unknown instruction, far off",
    text: "INCLUDE x",
    error: { at: "2:1", reason: /^unknown instruction: INCLUDE$/ },
  },
  { name: "nothing", text: "# only this\n", error: { at: "1:1", reason: /^file with no instructions$/ } },
  { name: "no stage", text: "ARG a", error: { at: "1:1", reason: /no stages to build/ } },
  {
    name: "before any stage",
    text: "ARG a=1\nRUN x",
    error: { at: "2:1", reason: /^no build stage in current context/ },
  },

  // Directives
  {
    name: "syntax",
    elsewhere: "network",
    text: "# syntax=docker/dockerfile:1\nFROM scratch",
    instruction: { kind: "FROM" },
  },
  { name: "bad escape", text: "# escape=x\nFROM scratch", error: { at: "1:1", reason: /^invalid escape token 'x'/ } },
  {
    name: "twice",
    text: "# escape=`\n# escape=`\nFROM scratch",
    error: { at: "2:1", reason: /^only one escape parser directive can be used$/ },
  },
  {
    name: "too late",
    text: "# a comment\n# escape=`\nFROM scratch\nRUN a \\\n b",
    instruction: { command: shell("a  b") },
  },

  // FROM
  { name: "named", text: "FROM scratch AS Base-1.x_y", instruction: { name: "base-1.x_y", base: word("scratch") } },
  {
    name: "platform",
    text: "FROM --platform=$BUILDPLATFORM scratch",
    instruction: { platform: word("$BUILDPLATFORM") },
  },
  {
    name: "two words",
    text: "FROM scratch AS",
    error: { at: "1:1", reason: /^FROM requires either one or three arguments$/ },
  },
  { name: "not as", text: "FROM scratch is x", error: { at: "1:1", reason: /^FROM requires either one or three/ } },
  {
    name: "a bad name",
    text: "FROM scratch AS 1a",
    error: { at: "1:17", reason: /^invalid name for build stage: "1a"/ },
  },
  {
    name: "an unknown flag",
    text: "FROM --plattform=x scratch",
    error: { at: "1:6", reason: /^unknown flag: --plattform \(did you mean --platform\?\)$/ },
  },

  // ARG, ENV, LABEL
  {
    name: "several",
    text: 'FROM scratch\nARG a b=1 c="x y" d=',
    instruction: { args: [{ key: word("a") }, pair("b", "1"), pair("c", '"x y"'), pair("d", "")] },
  },
  { name: "blank name", text: "FROM scratch\nARG =1", error: { at: "2:5", reason: /^ARG names can not be blank$/ } },
  {
    name: "without anything",
    text: "FROM scratch\nARG",
    error: { at: "2:1", reason: /^ARG requires at least one argument$/ },
  },
  {
    name: "pairs",
    text: "ENV a=b c=\"d e\" f=g\\ h 'i'=j",
    instruction: { pairs: [pair("a", "b"), pair("c", '"d e"'), pair("f", "g\\ h"), pair("'i'", "j")] },
  },
  { name: "pairs over lines", text: "ENV a=b \\\n    c=d", instruction: { pairs: [pair("a", "b"), pair("c", "d")] } },
  { name: "the old form", text: 'ENV a  b c "d"', instruction: { pairs: [{ ...pair("a", 'b c "d"'), legacy: true }] } },
  { name: "one word", text: "ENV a", error: { at: "2:5", reason: /^ENV must have two arguments$/ } },
  {
    name: "mixed forms",
    text: "ENV a=b c",
    error: { at: "2:9", reason: /^Syntax error - can't find = in "c"\. Must be of the form: name=value$/ },
  },
  {
    name: "labels",
    text: 'LABEL "a b"=c d.e="f\\"g"',
    instruction: { pairs: [pair('"a b"', "c"), pair("d.e", '"f\\"g"')] },
  },
  { name: "nothing to label", text: "LABEL", error: { at: "2:1", reason: /^LABEL requires at least one argument$/ } },

  // Commands
  { name: "json", text: 'CMD ["a", "b c"]', instruction: { command: exec("a", "b c") } },
  { name: "json over lines", text: 'CMD ["a", \\\n "b"]', instruction: { command: exec("a", "b") } },
  { name: "json with escapes", text: 'CMD ["a\\u0041\\"\\\\"]', instruction: { command: exec('aA"\\') } },
  { name: "json with a mistake goes to the shell", text: "CMD ['a']", instruction: { command: shell("['a']") } },
  { name: "json with a tail goes to the shell", text: 'CMD ["a"] b', instruction: { command: shell('["a"] b') } },
  { name: "json with a last comma goes to the shell", text: 'RUN ["a",]', instruction: { command: shell('["a",]') } },
  {
    name: "numbers",
    text: "CMD [1]",
    error: { at: "2:5", reason: /^when using JSON array syntax, arrays must be comprised of strings only$/ },
  },
  { name: "empty json", text: "CMD []", instruction: { command: exec() } },
  { name: "empty", text: "CMD", instruction: { command: shell("") } },
  { name: "empty entrypoint", text: "ENTRYPOINT []", instruction: { command: exec() } },
  { name: "a flag of CMD", text: "CMD --x y", error: { at: "2:5", reason: /^unknown flag: --x$/ } },
  { name: "dashes end flags", text: "RUN -- --x", instruction: { command: shell("--x") } },
  { name: "shell", text: 'SHELL ["bash", "-c"]', instruction: { shell: ["bash", "-c"] } },
  {
    name: "shell, not json",
    text: "SHELL bash -c",
    error: { at: "2:7", reason: /^SHELL requires the arguments to be in JSON form$/ },
  },
  { name: "shell, empty", text: "SHELL []", error: { at: "2:7", reason: /^SHELL requires at least one argument$/ } },

  // RUN
  {
    name: "cache mount",
    text: "RUN --mount=type=cache,target=/c,sharing=locked,id=x a",
    instruction: {
      mounts: [
        { fields: [field("type", "cache"), field("target", "/c"), field("sharing", "locked"), field("id", "x")] },
      ],
    },
  },
  {
    name: "quoted mount",
    text: 'RUN --mount="type=bind,target=/a b" x',
    instruction: { mounts: [{ fields: [field("type", "bind"), field("target", "/a b")] }], command: shell("x") },
  },
  {
    name: "two mounts",
    text: "RUN --mount=type=tmpfs,target=/t --mount=type=ssh x",
    instruction: { mounts: [{}, {}], command: shell("x") },
  },
  {
    name: "a variable in a mount",
    text: "RUN --mount=type=cache,target=$D/c x",
    instruction: { mounts: [{ fields: [field("type", "cache"), field("target", "$D/c")] }] },
  },
  {
    name: "a mount of no type",
    text: "RUN --mount=type=cahce,target=/c a",
    error: { at: "2:13", reason: /^unsupported mount type "cahce" \(did you mean cache\?\)$/ },
  },
  {
    name: "a mount with a wrong key",
    text: "RUN --mount=type=cache,tarket=/c a",
    error: { at: "2:24", reason: /^unexpected key 'tarket' in 'tarket=\/c' \(did you mean target\?\)$/ },
  },
  {
    name: "a mount from a variable",
    text: "RUN --mount=from=$x,target=/c a",
    error: { at: "2:13", reason: /^'from' doesn't support variable expansion, define alias stage instead$/ },
  },
  { name: "size of a cache", text: "RUN --mount=type=cache,target=/c,size=1 a", error: { at: "2:34", reason: /size/ } },
  {
    name: "mode of a bind",
    text: "RUN --mount=type=bind,target=/c,mode=7 a",
    error: { at: "2:33", reason: /^mode not allowed for 'bind' type mounts$/ },
  },
  {
    name: "a bad sharing",
    text: "RUN --mount=type=cache,target=/c,sharing=lock a",
    error: { at: "2:34", reason: /^unsupported sharing value "lock"/ },
  },
  {
    name: "a secret without name",
    text: "RUN --mount=type=secret a",
    error: { at: "2:13", reason: /one of source, target required/ },
  },
  { name: "network", text: "RUN --network=none a", instruction: { network: "none" } },
  {
    name: "a bad network",
    text: "RUN --network=nome a",
    error: { at: "2:15", reason: /^invalid network mode "nome" \(did you mean none\?\)$/ },
  },
  {
    name: "network without value",
    text: "RUN --network a",
    error: { at: "2:5", reason: /^missing a value on flag: --network$/ },
  },
  {
    name: "network twice",
    text: "RUN --network=none --network=host a",
    error: { at: "2:20", reason: /^duplicate flag specified: --network$/ },
  },
  {
    name: "a bad security",
    elsewhere: "newer",
    text: "RUN --security=none a",
    error: { at: "2:16", reason: /^invalid security mode "none"$/ },
  },

  // Heredocs
  {
    name: "a script",
    text: "RUN <<EOT\na\nb\nEOT",
    instruction: { command: { text: "<<EOT", heredocs: [{ name: "EOT", content: "a\nb\n", expand: true }] } },
  },
  {
    name: "quoted",
    text: "RUN <<'EOT' cat\n$a\nEOT",
    instruction: { command: { heredocs: [{ name: "EOT", content: "$a\n", expand: false }] } },
  },
  {
    name: "tabs",
    text: "RUN <<-EOT\n\t\ta\n\tEOT",
    instruction: { command: { heredocs: [{ content: "a\n", raw: "\t\ta\n", stripTabs: true }] } },
  },
  {
    name: "two files",
    text: 'COPY <<a <<"b" /d/\n1\na\n2\nb',
    instruction: {
      sources: [
        { kind: "heredoc", heredoc: { name: "a", content: "1\n" } },
        { kind: "heredoc", heredoc: { name: "b", content: "2\n", expand: false } },
      ],
    },
  },
  {
    name: "files and paths",
    text: "COPY x <<a /d/\n1\na",
    instruction: {
      sources: [path("x"), { kind: "heredoc", heredoc: { name: "a", content: "1\n" } }],
      destination: word("/d/"),
    },
  },
  { name: "added", text: "ADD <<a /d/\n1\na", instruction: { sources: [{ kind: "heredoc", heredoc: { name: "a" } }] } },
  { name: "not in json", text: 'RUN ["<<EOT"]', instruction: { command: exec("<<EOT") } },
  { name: "a here-string is none", text: "RUN cat <<<x", instruction: { command: { text: "cat <<<x", heredocs: [] } } },
  { name: "not in CMD", text: "CMD cat <<EOT", instruction: { command: shell("cat <<EOT") } },
  { name: "without its end", text: "RUN <<EOT\na", error: { at: "2:5", reason: /^unterminated heredoc/ } },
  {
    name: "as destination",
    text: "COPY a <<EOT\nEOT",
    error: { at: "2:8", reason: /^COPY cannot accept a heredoc as a destination$/ },
  },

  // COPY, ADD
  {
    name: "copy",
    text: "COPY a b/ c/",
    instruction: {
      sources: [path("a"), path("b/")],
      destination: word("c/"),
      link: false,
      parents: false,
      exclude: [],
    },
  },
  { name: "copy in json", text: 'COPY ["a b", "c"]', instruction: { sources: [path("a b")], destination: word("c") } },
  {
    name: "all flags of COPY",
    elsewhere: "newer",
    text: "COPY --from=0 --chown=1:2 --chmod=u=rwX --link --parents --exclude=*.md --exclude=x a b",
    instruction: {
      from: word("0"),
      chown: word("1:2"),
      chmod: word("u=rwX"),
      link: true,
      parents: true,
      exclude: [word("*.md"), word("x")],
    },
  },
  {
    name: "all flags of ADD",
    text: "ADD --chown=1 --chmod=755 --link=false --keep-git-dir=true --checksum=sha256:0000000000000000000000000000000000000000000000000000000000000000 --unpack --exclude=x https://a/b /c",
    instruction: {
      chown: word("1"),
      chmod: word("755"),
      link: false,
      keepGitDir: true,
      checksum: word(`sha256:${"0".repeat(64)}`),
      unpack: true,
    },
  },
  {
    name: "a truth that is none",
    text: "COPY --link=maybe a b",
    error: { at: "2:6", reason: /^expecting boolean value for flag --link, not: maybe$/ },
  },
  {
    name: "an empty truth",
    text: "COPY --link= a b",
    error: { at: "2:6", reason: /^missing a value on flag: --link$/ },
  },
  {
    name: "one path",
    text: "COPY a",
    error: {
      at: "2:1",
      reason: /^COPY requires at least two arguments, but only one was provided\. Destination could not be determined$/,
    },
  },
  { name: "no path", text: "ADD", error: { at: "2:1", reason: /^ADD requires at least two arguments/ } },
  { name: "from of ADD", text: "ADD --from=x a b", error: { at: "2:5", reason: /^unknown flag: --from$/ } },

  // The rest
  { name: "workdir with spaces", text: "WORKDIR /a b", instruction: { path: word("/a b") } },
  { name: "no workdir", text: "WORKDIR", error: { at: "2:1", reason: /^WORKDIR requires exactly one argument$/ } },
  { name: "user", text: "USER a:b", instruction: { user: word("a:b") } },
  {
    name: "ports",
    text: "EXPOSE 80/tcp 53/udp $P",
    instruction: { ports: [word("$P"), word("53/udp"), word("80/tcp")] },
  },
  { name: "no port", text: "EXPOSE", error: { at: "2:1", reason: /^EXPOSE requires at least one argument$/ } },
  { name: "volumes", text: "VOLUME /a /b", instruction: { paths: [word("/a"), word("/b")] } },
  { name: "volumes in json", text: 'VOLUME ["/a b"]', instruction: { paths: [word("/a b")] } },
  {
    name: "an empty volume",
    text: 'VOLUME [""]',
    error: { at: "2:8", reason: /^VOLUME specified can not be an empty string$/ },
  },
  { name: "signal", text: "STOPSIGNAL SIGINT", instruction: { signal: word("SIGINT") } },
  { name: "maintainer", text: "MAINTAINER A B <a@b>", instruction: { name: "A B <a@b>" } },
  {
    name: "health",
    text: "HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2h --start-interval=1.5s --retries=3 CMD a b",
    instruction: {
      healthcheck: {
        Test: ["CMD-SHELL", "a b"],
        Interval: 90e9,
        Timeout: 5e8,
        StartPeriod: 7200e9,
        StartInterval: 15e8,
        Retries: 3,
      },
    },
  },
  { name: "health in json", text: 'HEALTHCHECK cmd ["a"]', instruction: { healthcheck: { Test: ["CMD", "a"] } } },
  { name: "no health", text: "HEALTHCHECK none", instruction: { healthcheck: { Test: ["NONE"] } } },
  {
    name: "no health with more",
    text: "HEALTHCHECK NONE a",
    error: { at: "2:18", reason: /^HEALTHCHECK NONE takes no arguments$/ },
  },
  {
    name: "health of no kind",
    text: "HEALTHCHECK a",
    error: { at: "2:13", reason: /^Unknown type "A" in HEALTHCHECK \(try CMD\)$/ },
  },
  {
    name: "health without command",
    text: "HEALTHCHECK CMD",
    error: { at: "2:1", reason: /^Missing command after HEALTHCHECK CMD$/ },
  },
  {
    name: "too short a time",
    text: "HEALTHCHECK --interval=1us CMD a",
    error: { at: "2:24", reason: /^Interval "interval" cannot be less than 1ms$/ },
  },
  {
    name: "no time",
    text: "HEALTHCHECK --timeout=soon CMD a",
    error: { at: "2:23", reason: /^time: invalid duration "soon"$/ },
  },
  {
    name: "negative retries",
    text: "HEALTHCHECK --retries=-1 CMD a",
    error: { at: "2:23", reason: /^--retries cannot be negative \(-1\)$/ },
  },
  { name: "onbuild", text: "ONBUILD RUN a", instruction: { expression: "RUN a" } },
  { name: "onbuild with a heredoc", text: "ONBUILD COPY <<a /\n1\na", instruction: { expression: "COPY <<a /\n1\na" } },
  {
    name: "onbuild onbuild",
    text: "ONBUILD ONBUILD RUN a",
    error: { at: "2:9", reason: /^Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed$/ },
  },
  {
    name: "onbuild from",
    text: "ONBUILD FROM a",
    error: { at: "2:9", reason: /^FROM isn't allowed as an ONBUILD trigger$/ },
  },
  { name: "onbuild alone", text: "ONBUILD", error: { at: "2:1", reason: /^ONBUILD requires at least one argument$/ } },
  {
    name: "onbuild of nothing known",
    text: "ONBUILD RUNN a",
    error: { at: "2:9", reason: /^unknown instruction: RUNN/ },
    unlikeDocker: "Docker finds out when somebody builds on the image",
  },
];
