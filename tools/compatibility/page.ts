import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Command, commands, longName } from "./commands.ts";
import { type Evidence, evidenceOf, type Proof } from "./evidence.ts";

const root = join(import.meta.dirname, "../..");

const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));

interface Listed {
  readonly step: string;
  readonly path: string;
  readonly why: string;
}

const about = `# Compatibility

Made by \`tools/node tools/compatibility.ts\` out of the tests' sources: do not edit. Named is a test that asks for the
route, or runs the command with the flag, by the stock \`docker\` command line against Sampan's socket or by \`sampan\`; one of
perhaps many. What it asserts stands there. "–": no test spells it out, be it that there is none or that a variable does.

Besides, the tests run dockerode, testcontainers (with PostgreSQL and Redis), docker-py and both generations of Compose, and
[one session](../test/support/compatibility/session.ts) against dockerd and Sampan, whose answers are compared field by field.
`;

/** docs/compatibility.md as it has to be for the tests of this checkout. */
export function page(): string {
  const tiers = read("tools/compatibility/routes.json") as Record<string, string>;
  const patterns = ["test/e2e/*.test.ts", "test/suites/*.test.ts", "test/support/compatibility/session.ts"];
  const paths = globSync(patterns, { cwd: root }).sort();
  const evidence = evidenceOf(root, paths, Object.keys(tiers), commands);
  const { differences } = read("test/support/compatibility/differences.json") as { differences: Listed[] };
  return [about, routesTable(tiers, evidence), commandsTable(evidence), differencesTable(differences)].join("\n");
}

function routesTable(tiers: Readonly<Record<string, string>>, evidence: Evidence): string {
  const rows = Object.entries(tiers).map(
    ([route, tier]) => `| \`${route}\` | ${tier} | ${named(evidence.get(route))} |`,
  );
  const proven = Object.keys(tiers).filter((route) => isDone(evidence.get(route))).length;
  const head = "| route | tier | test |\n|---|---|---|";
  return `## Routes of the Engine API\n\n${proven} of ${rows.length} have a test that asks for them directly.\n\n${head}\n${rows.join("\n")}\n`;
}

function commandsTable(evidence: Evidence): string {
  const head = "| command or flag | `docker` | `sampan` |\n|---|---|---|";
  const rows = commands.flatMap((command) => [
    row(`**${command.name}**`, command.name, evidence),
    ...command.flags.map((flag) => row(`\`${longName(flag)}\``, `${command.name} ${longName(flag)}`, evidence)),
  ]);
  const counted = counts(commands, evidence);
  return `## Commands of docker's\n\nSwarm, plugins, contexts and bake files apart; of build the flags of both builders, the classic one and buildx. ${counted}\n\n${head}\n${rows.join("\n")}\n`;
}

function counts(all: readonly Command[], evidence: Evidence): string {
  const names = all.flatMap(({ name, flags }) => [name, ...flags.map((flag) => `${name} ${longName(flag)}`)]);
  const proofs = (name: string) => ["docker", "sampan"].flatMap((program) => evidence.get(`${program} ${name}`) ?? []);
  const done = names.filter((name) => isDone(proofs(name))).length;
  const refused = names.filter((name) => !isDone(proofs(name)) && proofs(name).length > 0).length;
  const left = names.length - done - refused;
  return `Of ${names.length} commands and flags ${done} are tested to work, ${refused} to be refused with a reason; ${left} are left.`;
}

function row(title: string, name: string, evidence: Evidence): string {
  return `| ${title} | ${named(evidence.get(`docker ${name}`))} | ${named(evidence.get(`sampan ${name}`))} |`;
}

/** The first test in the order of the files; one with a name before one without. */
function named(proofs: readonly Proof[] | undefined): string {
  const doing = proofs?.filter(({ refused }) => !refused) ?? [];
  const proof = doing.find(({ test }) => test !== undefined) ?? doing[0] ?? proofs?.[0];
  if (proof === undefined) return "–";
  const file = basename(proof.path).replace(/(?:\.test)?\.ts$/, "");
  const title = proof.test === undefined ? "" : `: ${proof.test.replaceAll("|", "\\|")}`;
  return `${proof.refused ? "refused: " : ""}[${file}](../${proof.path})${title}`;
}

/** Whether some test does it, and not only sees it refused. */
function isDone(proofs: readonly Proof[] | undefined): boolean {
  return proofs?.some(({ refused }) => !refused) ?? false;
}

function differencesTable(differences: readonly Listed[]): string {
  const head = "| answer | member | why |\n|---|---|---|";
  const cell = (text: string) => text.replaceAll("|", "\\|");
  const rows = differences.map(({ step, path, why }) => `| ${code(step)} | ${code(path)} | ${cell(why)} |`);
  return `## Where Sampan answers other than dockerd 28.5\n\n"*" stands for anything.\n\n${head}\n${rows.join("\n")}\n`;
}

function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}
