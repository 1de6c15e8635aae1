import { named, type Slot } from "../kernel/block.ts";
import * as f from "../kernel/flags.ts";
import { type FileRight, fileRights, rightsOfFiles, scopes, tcpRights } from "../kernel/landlock/rights.ts";
import { type LandlockRuleset, maskOf } from "../kernel/landlock/ruleset.ts";
import type { Label, Program, StepOptions } from "../kernel/program.ts";
import { findNote } from "./landlock-error.ts";

const LANDLOCK_RULE_PATH_BENEATH = 1;
const LANDLOCK_RULE_NET_PORT = 2;

type PathRule = LandlockRuleset["paths"][number];

/**
 * Steps by which the running process gives up what the rulesets do not allow, for itself and all its children (landlock(7)).
 * It has entered its root, and still holds CAP_SYS_ADMIN, without which landlock_restrict_self(2) would demand no_new_privs;
 * its system call filter is not there yet, which might forbid these calls.
 */
export function restrictByLandlock(p: Program, rulesets: readonly LandlockRuleset[] | undefined): void {
  if (rulesets === undefined || rulesets.length === 0) return;
  const flags = named(f.O_PATH | f.O_DIRECTORY | f.O_CLOEXEC, "O_PATH|O_DIRECTORY|O_CLOEXEC");
  const root = p.sys("openat", [f.AT_FDCWD, p.text("/"), flags, 0], {
    note: "open the root that Landlock's rules are about",
  });
  for (const ruleset of rulesets) restrict(p, root, ruleset);
  p.call("close", [root], { note: "the rules are in force" });
}

function restrict(p: Program, root: Slot, rules: LandlockRuleset): void {
  const { files, tcp, scope } = rules;
  // struct landlock_ruleset_attr; zeroes at its end are no matter to a kernel that does not know the fields
  const attributes = p.words(
    [maskOf(fileRights, files), maskOf(tcpRights, tcp), maskOf(scopes, scope)],
    `{ files: ${shown(files)}, tcp: ${shown(tcp)}, scope: ${shown(scope)} }`,
  );
  const ruleset = p.sys("landlock_create_ruleset", [attributes, attributes.size, 0], {
    note: `begin a Landlock ruleset: ${[...files, ...tcp, ...scope].join(", ")} only where a rule allows it`,
  });
  for (const path of rules.paths) allowBeneath(p, { root, ruleset }, path);
  for (const { port, allow } of rules.ports) {
    const rule = p.words([maskOf(tcpRights, allow), port], `{ ${shown(allow)}, port: ${port} }`);
    const type = named(LANDLOCK_RULE_NET_PORT, "LANDLOCK_RULE_NET_PORT");
    p.call("landlock_add_rule", [ruleset, type, rule, 0], { note: `allow TCP ${allow.join(" and ")} at port ${port}` });
  }
  p.call("landlock_restrict_self", [ruleset, 0], { note: "from now on nothing else, for whatever it starts, too" });
  p.call("close", [ruleset], { note: "let the ruleset go" });
}

function shown(names: readonly string[]): string {
  return names.join("|") || "-";
}

/**
 * A rule about all beneath a path, which must not lead over a symbolic link: a container that may write somewhere could
 * turn the next process's rules to where it likes. What is no directory takes only what is done to files.
 */
function allowBeneath(p: Program, at: { readonly root: Slot; readonly ruleset: Slot }, rule: PathRule): void {
  const { path, allow } = rule;
  const [absent, isFile, done] = [p.label(), p.label(), p.label()];
  const found = find(p, at.root, rule, absent);
  const ofFiles = allow.filter((right) => rightsOfFiles.includes(right));
  const differs = ofFiles.length > 0 && ofFiles.length < allow.length;
  addPath(p, at.ruleset, found, {
    allow,
    note: `allow ${allow.join(", ")} in ${path}`,
    ...(differs && { tolerate: ["EINVAL"], orElse: isFile }),
  });
  if (differs) {
    p.jump(done, "it is a directory");
    p.place(isFile);
    addPath(p, at.ruleset, found, { allow: ofFiles, note: `${path} is a file: allow ${ofFiles.join(", ")}` });
    p.place(done);
  }
  p.call("close", [found], { note: "and let go of it" });
  p.place(absent);
}

function find(p: Program, root: Slot, { path, optional }: PathRule, absent: Label): Slot {
  const resolve = f.RESOLVE_IN_ROOT | f.RESOLVE_NO_MAGICLINKS | f.RESOLVE_NO_SYMLINKS;
  const how = p.words(
    [f.O_PATH | f.O_CLOEXEC, 0, resolve],
    "{ resolve: RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS }",
  );
  return p.sys("openat2", [root, p.text(path), how, 24], {
    note: findNote(path),
    ...(optional && { tolerate: ["ENOENT", "ENOTDIR", "EACCES", "ELOOP"], orElse: absent }),
  });
}

interface AddedPath extends Pick<StepOptions, "note" | "tolerate" | "orElse"> {
  readonly allow: readonly FileRight[];
}

function addPath(p: Program, ruleset: Slot, found: Slot, { allow, ...options }: AddedPath): void {
  // struct landlock_path_beneath_attr: 64 bits of rights, 32 of a descriptor
  const rule = p.words([maskOf(fileRights, allow), 0], `{ ${shown(allow)} }`);
  p.copy32(found, rule.at(8), "put its descriptor into the rule");
  const type = named(LANDLOCK_RULE_PATH_BENEATH, "LANDLOCK_RULE_PATH_BENEATH");
  p.call("landlock_add_rule", [ruleset, type, rule, 0], options);
}
