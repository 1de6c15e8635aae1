import { readFileSync } from "node:fs";
import { named } from "../../kernel/block.ts";
import type { Executor, Session } from "../../kernel/executor.ts";
import * as f from "../../kernel/flags.ts";
import { Program } from "../../kernel/program.ts";

/** Where the old iptables (x_tables, "iptables-legacy") keeps what we want to know, in one family's structures. */
interface Layout {
  readonly command: "iptables" | "ip6tables";
  readonly names: string;
  readonly domain: ReturnType<typeof named>;
  readonly level: ReturnType<typeof named>;
  /** Offset of `target_offset` in struct ipt_entry or ip6t_entry. */
  readonly targetOffset: number;
}

const layouts: readonly Layout[] = [
  {
    command: "iptables",
    names: "/proc/self/net/ip_tables_names",
    domain: named(2, "AF_INET"),
    level: named(0, "SOL_IP"),
    targetOffset: 88,
  },
  {
    command: "ip6tables",
    names: "/proc/self/net/ip6_tables_names",
    domain: named(10, "AF_INET6"),
    level: named(41, "SOL_IPV6"),
    targetOffset: 140,
  },
];

const SO_GET_INFO = named(64, "IPT_SO_GET_INFO");
const SO_GET_ENTRIES = named(65, "IPT_SO_GET_ENTRIES");
/** struct ipt_getinfo: the table's name, hooks, hook_entry[5], underflow[5], num_entries, size; ip6t_getinfo is the same. */
const info = { bytes: 84, forwardPolicy: 32 + 4 + 20 + 4 * 2, size: 80 } as const;
/** struct ipt_get_entries: the name, the size, and the entries, aligned to eight bytes. */
const sizeAt = 32;
const entriesAt = 40;
/** struct xt_standard_target: the verdict comes behind struct xt_entry_target. */
const verdictAt = 32;
/** -NF_DROP - 1. */
const drop = -1;

/**
 * The commands, "iptables" or "ip6tables", whose legacy filter table forwards nothing by its policy. Tables that nobody has
 * loaded are not loaded by the question.
 */
export async function legacyForwardDrops(executor: Executor): Promise<Layout["command"][]> {
  const loaded = layouts.filter(({ names }) => tableNames(names).includes("filter"));
  if (loaded.length === 0) return [];
  const session = await executor.open();
  try {
    const found: Layout["command"][] = [];
    for (const layout of loaded) if ((await forwardVerdict(session, layout)) === drop) found.push(layout.command);
    return found;
  } finally {
    session.close();
  }
}

function tableNames(path: string): string[] {
  try {
    return readFileSync(path, "latin1").split("\n");
  } catch {
    return []; // a kernel without them
  }
}

/** What the last rule of FORWARD, which is its policy, comes to. */
async function forwardVerdict(session: Session, layout: Layout): Promise<number> {
  const about = await getOption(session, layout, { option: SO_GET_INFO, bytes: info.bytes });
  const size = about.readUInt32LE(info.size);
  const answer = await getOption(session, layout, { option: SO_GET_ENTRIES, bytes: entriesAt + size, size });
  const policy = answer.subarray(entriesAt + about.readUInt32LE(info.forwardPolicy));
  return policy.readInt32LE(policy.readUInt16LE(layout.targetOffset) + verdictAt);
}

interface Question {
  readonly option: ReturnType<typeof named>;
  readonly bytes: number;
  /** Of the entries, where they are asked for. */
  readonly size?: number;
}

/** One getsockopt(2) about the table "filter". */
async function getOption(
  session: Session,
  { command, domain, level }: Layout,
  { option, bytes, size }: Question,
): Promise<Buffer> {
  const p = new Program(`look at the rules of ${command}`);
  const buffer = p.in("network", () => {
    const answer = p.buffer(bytes, `{ "filter", … }`);
    const name = Buffer.from("filter\0\0", "latin1");
    for (const offset of [0, 4]) p.copy32(name.readInt32LE(offset), answer.at(offset), "name the table");
    if (size !== undefined) p.copy32(size, answer.at(sizeAt), "say how long its rules are");
    const type = named(f.SOCK_DGRAM | f.SOCK_CLOEXEC, "SOCK_DGRAM|SOCK_CLOEXEC");
    const socket = p.sys("socket", [domain, type, 0], { note: "make a socket to ask by" });
    const room = p.words([bytes], String(bytes));
    p.call("getsockopt", [socket, level, option, answer, room], { note: "ask for them" });
    p.call("close", [socket], { note: "it is not needed any more" });
    return answer;
  });
  return (await session.run(p)).bytes(buffer);
}
