import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as nft from "../../src/kernel/netlink/nftables/index.ts";
import { setLink } from "../../src/kernel/netlink/route/index.ts";
import { testExecutor } from "../support/helper.ts";
import { type NetworkNamespace, networkNamespace } from "../support/netlink.ts";
import { requires, requiresRoot } from "../support/requires.ts";

const { executor } = testExecutor();
const needs = { ...requires("nft", "nsenter"), ...requiresRoot() };
const { types, meta, payload, ct, fib, equals } = nft;
const table = { family: "inet", name: "test" } as const;

/** The rules of a chain, as nft(8) lists them. */
function rulesOf(where: NetworkNamespace, family: string, chain: string): string[] {
  const lines = where.run("nft", "list", "chain", family, "test", chain).split("\n");
  return lines.map((line) => line.trim()).filter((line) => !/^(table|chain|type|\}|$)/.test(line));
}

interface Place {
  readonly family?: "inet" | "ip" | "bridge";
  readonly base?: nft.BaseChain;
  readonly sets?: readonly nft.NftSet[];
  /** Compares with the text itself, where nft(8) cannot make the rule. */
  readonly literally?: boolean;
}

/** Asserts that nft(8) lists our rule as its own, made from `text`. */
async function same(text: string, statements: readonly nft.Statement[], place: Place = {}): Promise<void> {
  using where = await networkNamespace(executor);
  const own = { family: place.family ?? "inet", name: "test" } as const;
  const base = place.base ?? { type: "filter", hook: "forward", priority: 0 };
  await where.sendNetfilter(
    nft.transaction([
      nft.addTable(own),
      ...(place.sets ?? []).map((set) => nft.addSet(own, set)),
      nft.addChain(own, "other"),
      nft.addChain(own, "ours", base),
      nft.addChain(own, "theirs", base),
      nft.addRule(own, "ours", statements),
    ]),
  );
  if (!place.literally) where.run("nft", "add", "rule", own.family, "test", "theirs", text);
  const expected = place.literally ? [text] : rulesOf(where, own.family, "theirs");
  assert.deepEqual(rulesOf(where, own.family, "ours"), expected);
}

describe("nf_tables messages", needs, () => {
  const plain: [string, nft.Statement[]][] = [
    ['iifname "lo" accept', [equals(meta("iifname"), "lo"), nft.accept]],
    ['oifname != "eth0" drop', [nft.differs(meta("oifname"), "eth0"), nft.drop]],
    ['iifname "br-*" return', [equals(meta("iifname"), "br-*"), nft.leave]],
    ["ip saddr 10.1.2.3 jump other", [equals(payload.ipv4.saddr, "10.1.2.3"), nft.jump("other")]],
    ["ip6 daddr fd00::1 goto other", [equals(payload.ipv6.daddr, "fd00::1"), nft.goto("other")]],
    ["ip saddr 10.0.0.0/12 accept", [nft.inPrefix(payload.ipv4.saddr, "10.1.0.0/12"), nft.accept]],
    ["ip6 saddr != fe80::/10 drop", [nft.notInPrefix(payload.ipv6.saddr, "fe80::/10"), nft.drop]],
    ["ct state established,related accept", [nft.anyOf(ct.state, ["established", "related"]), nft.accept]],
    ["ct state invalid drop", [nft.anyOf(ct.state, ["invalid"]), nft.drop]],
    ["ct status dnat accept", [nft.anyOf(ct.status, ["dnat"]), nft.accept]],
    ["fib daddr type local accept", [equals(fib.daddr.type, "local"), nft.accept]],
    ["tcp dport 80 accept", [equals(payload.tcp.dport, 80), nft.accept]],
    ["udp sport 1000-2000 accept", [nft.inRange(payload.udp.sport, 1000, 2000), nft.accept]],
    [
      "meta l4proto 6 th dport != 80-90 accept",
      [equals(meta("l4proto"), "tcp"), nft.outOfRange(payload.th.dport, 80, 90), nft.accept],
    ],
    ["tcp dport >= 1024 accept", [nft.compares(payload.tcp.dport, ">=", 1024), nft.accept]],
    [
      "tcp flags & (fin | syn | rst | ack) == syn counter packets 0 bytes 0",
      [nft.bitsAre(payload.tcp.flags, ["fin", "syn", "rst", "ack"], ["syn"]), nft.counter()],
    ],
    ["meta mark 0x00000007 accept", [equals(meta("mark"), 7), nft.accept]],
    ["meta mark set 0x00000010", [nft.setMark(0x10)]],
    ["ct mark set 0x00000011", [nft.setConnectionMark(0x11)]],
    [
      'limit rate 3/minute burst 7 packets log prefix "drop: " group 5 snaplen 64',
      [nft.limit({ packets: 3, per: "minute", burst: 7 }), nft.log({ prefix: "drop: ", group: 5, snapLength: 64 })],
    ],
    [
      "limit rate over 10/second burst 5 packets drop",
      [nft.limit({ packets: 10, per: "second", over: true }), nft.drop],
    ],
    ["reject with icmpx admin-prohibited", [nft.reject("admin-prohibited")]],
    ["meta l4proto 6 reject with tcp reset", [nft.reject("tcp-reset")]],
    ["icmp type echo-request accept", [equals(payload.icmp.type, "echo-request"), nft.accept]],
    [
      "ct original ip daddr 10.0.0.1 ct direction reply accept",
      [equals(ct.original.ipv4.daddr, "10.0.0.1"), equals(ct.direction, "reply"), nft.accept],
    ],
    [
      "ip saddr 10.0.0.1 ip daddr 10.0.0.2 tcp dport 22 accept",
      [
        equals(payload.ipv4.saddr, "10.0.0.1"),
        equals(payload.ipv4.daddr, "10.0.0.2"),
        equals(payload.tcp.dport, 22),
        nft.accept,
      ],
    ],
    [
      "meta pkttype 0 meta skuid 1000 accept",
      [equals(meta("pkttype"), "host"), equals(meta("skuid"), 1000), nft.accept],
    ],
  ];
  for (const [text, statements] of plain) test(text, () => same(text, statements));

  const dstnat: nft.BaseChain = { type: "nat", hook: "prerouting", priority: nft.priorities.dstnat };
  const srcnat: nft.BaseChain = { type: "nat", hook: "postrouting", priority: nft.priorities.srcnat };
  const publish4: nft.NftSet = {
    name: "publish4",
    key: [types.ipv4_addr, types.inet_proto, types.inet_service],
    value: [types.ipv4_addr, types.inet_service],
    comment: "published ports",
  };
  const ranges6: nft.NftSet = {
    name: "ranges6",
    key: [types.inet_proto, types.inet_service],
    value: [types.ipv6_addr],
    interval: true,
  };
  const pairs: nft.NftSet = { name: "pairs", key: [types.ifname, types.ifname] };
  const networks: nft.NftSet = { name: "networks", key: [types.ipv4_addr], interval: true };
  const local: nft.NftSet = { name: "local", key: [types.ipv4_addr, types.ifname], interval: true };
  const chains: nft.NftSet = { name: "verdicts", key: [types.ifname], value: "verdict" };
  const seen: nft.NftSet = { name: "seen", key: [types.ipv4_addr], timeout: true, dynamic: true, size: 1000 };
  const allSets = [publish4, ranges6, pairs, networks, local, chains, seen];
  const links = [meta("iifname"), meta("oifname")];

  const translations: [string, nft.Statement[], nft.BaseChain][] = [
    [
      "tcp dport 8080 dnat ip to 10.0.0.2:80",
      [equals(payload.tcp.dport, 8080), nft.dnat({ address: "10.0.0.2", port: 80 })],
      dstnat,
    ],
    ["dnat ip6 to fd00::2", [nft.dnat({ address: "fd00::2" })], dstnat],
    ["tcp dport 80 redirect to :8080", [equals(payload.tcp.dport, 80), nft.redirect(8080)], dstnat],
    [
      "fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @publish4",
      [equals(fib.daddr.type, "local"), nft.dnatTo([payload.ipv4.daddr, meta("l4proto"), payload.th.dport], publish4)],
      dstnat,
    ],
    ["snat ip to 192.0.2.1 persistent", [nft.snat({ address: "192.0.2.1" }, { persistent: true })], srcnat],
    ["masquerade", [nft.masquerade()], srcnat],
    [
      'ip saddr @networks oifname != "lo" masquerade random',
      [nft.inSet(payload.ipv4.saddr, networks), nft.differs(meta("oifname"), "lo"), nft.masquerade({ random: true })],
      srcnat,
    ],
  ];
  for (const [text, statements, base] of translations)
    test(text, () => same(text, statements, { base, sets: allSets }));

  test("ranges of any protocol, for which nft 1.0.6 turns one byte round, which Linux 6.12 refuses", async () => {
    const statements = [nft.dnatTo([meta("l4proto"), payload.th.dport], ranges6)];
    const place = { base: dstnat, sets: allSets, literally: true };
    await same("dnat ip6 to meta l4proto . th dport map @ranges6", statements, place);
  });

  const lookups: [string, nft.Statement[]][] = [
    ["iifname . oifname @pairs accept", [nft.inSet(links, pairs), nft.accept]],
    ["iifname . oifname != @pairs drop", [nft.notInSet(links, pairs), nft.drop]],
    ["ip saddr . iifname != @local drop", [nft.notInSet([payload.ipv4.saddr, meta("iifname")], local), nft.drop]],
    ["iifname vmap @verdicts", [nft.verdictOf(meta("iifname"), chains)]],
    ["update @seen { ip saddr timeout 1m }", [nft.remember(payload.ipv4.saddr, seen, 60_000)]],
  ];
  for (const [text, statements] of lookups) test(text, () => same(text, statements, { sets: allSets }));

  test("in the family ip nothing need be checked before an address; in bridge its own way", async () => {
    const rule = [equals(payload.ipv4.saddr, "10.1.2.3"), nft.accept];
    await same("ip saddr 10.1.2.3 accept", rule, { family: "ip" });
    const frame = [equals(payload.ether.saddr, "02:42:00:00:00:01"), equals(payload.ipv6.saddr, "fd00::1"), nft.drop];
    await same("ether saddr 02:42:00:00:00:01 ip6 saddr fd00::1 drop", frame, { family: "bridge" });
    const raw: nft.BaseChain = { type: "filter", hook: "prerouting", priority: nft.priorities.raw };
    await same("meta priority set 5:3", [nft.setPriority(0x5_0003)]);
    await same("dup to 10.0.0.9 device lo", [nft.duplicate("10.0.0.9", 1)], { family: "ip" });
    await same("notrack", [nft.notrack()], { base: raw });
  });

  test("a look-up in a set of another kind is refused before the kernel sees it", () => {
    assert.throws(() => nft.inSet(meta("iifname"), pairs), { kind: "internal" });
    assert.throws(() => nft.dnatTo(meta("iifname"), chains), { kind: "internal" });
    assert.throws(() => nft.addElements(table, pairs, [{ key: ["only one"] }]), { kind: "internal" });
    assert.throws(() => nft.addElements(table, publish4, [{ key: ["10.0.0.0/8", "tcp", 1], value: ["10.0.0.1", 2] }]), {
      kind: "internal",
    });
    assert.throws(
      () => nft.addElements(table, pairs, [{ key: ["a name of 16 by", "x"] }, { key: ["0123456789abcdef", "x"] }]),
      {
        kind: "internal",
      },
    );
  });

  /** The elements of a set as nft(8) lists them. */
  function elementsOf(where: NetworkNamespace, kind: "set" | "map", name: string): string[] {
    const text = where.run("nft", "list", kind, "inet", "test", name);
    const [, list = ""] = /elements = \{([^}]*)\}/.exec(text) ?? [];
    return list
      .split(",")
      .map((element) => element.trim())
      .filter((element) => element !== "")
      .toSorted();
  }

  test("elements: concatenations, intervals, verdicts, time-outs; deleting them", async () => {
    using where = await networkNamespace(executor);
    const declare = [
      nft.addTable(table, { comment: "a test's table" }),
      ...allSets.map((set) => nft.addSet(table, set)),
    ];
    await where.sendNetfilter(nft.transaction([...declare, nft.addChain(table, "other")]));
    const elements: [nft.NftSet, nft.Element[], string[]][] = [
      [
        publish4,
        [
          { key: ["192.0.2.1", "tcp", 80], value: ["10.0.0.2", 8080] },
          { key: ["192.0.2.1", "udp", 53], value: ["10.0.0.3", 53], comment: "dns" },
        ],
        ["192.0.2.1 . tcp . 80 : 10.0.0.2 . 8080", '192.0.2.1 . udp . 53 comment "dns" : 10.0.0.3 . 53'],
      ],
      [
        ranges6,
        [
          { key: ["tcp", { from: 8000, to: 8010 }], value: ["fd00::2"] },
          { key: ["sctp", 9], value: ["fd00::3"] },
        ],
        ["sctp . 9 : fd00::3", "tcp . 8000-8010 : fd00::2"],
      ],
      [pairs, [{ key: ["br-a", "br-b"] }], ['"br-a" . "br-b"']],
      [
        networks,
        [
          { key: ["10.0.0.0/8"] },
          { key: [{ from: "192.0.2.1", to: "192.0.2.9" }] },
          { key: ["255.255.255.0/24"] },
          { key: ["9.9.9.9"] },
        ],
        ["10.0.0.0/8", "192.0.2.1-192.0.2.9", "255.255.255.0/24", "9.9.9.9"],
      ],
      [local, [{ key: ["172.18.0.0/16", "br-a"] }], ['172.18.0.0/16 . "br-a"']],
      [
        chains,
        [
          { key: ["br-a"], value: { jump: "other" } },
          { key: ["br-b"], value: "drop" },
        ],
        ['"br-a" : jump other', '"br-b" : drop'],
      ],
      [seen, [{ key: ["10.0.0.1"], timeout: 3_600_000 }], ["10.0.0.1 timeout 1h expires 59m"]],
    ];
    await where.sendNetfilter(nft.transaction(elements.flatMap(([set, list]) => nft.addElements(table, set, list))));
    for (const [set, , listed] of elements) {
      const found = elementsOf(where, set.value ? "map" : "set", set.name).map((text) =>
        text.replace(/(\d+m)\d+s(\d+ms)?$/, "$1"),
      );
      assert.deepEqual(found, listed.toSorted(), set.name);
    }
    const question = async (set: nft.NftSet) =>
      nft.decodeElements(set, await where.queryNetfilter(nft.dumpElements(table, set.name)));
    assert.deepEqual(
      (await question(publish4)).find(({ comment }) => comment === "dns"),
      {
        key: ["192.0.2.1", "udp", 53],
        value: ["10.0.0.3", 53],
        intervalEnd: false,
        comment: "dns",
      },
    );
    assert.deepEqual(
      (await question(ranges6)).find(({ key }) => key[1] === 8000),
      {
        key: ["tcp", 8000],
        keyEnd: ["tcp", 8010],
        value: ["fd00::2"],
        intervalEnd: false,
      },
    );
    assert.deepEqual((await question(chains)).find(({ key }) => key[0] === "br-a")?.value, { jump: "other" });
    const [remembered] = await question(seen);
    assert.equal(remembered?.timeout, 3_600_000);
    assert.ok((remembered?.expires ?? 0) > 3_500_000);
    const ends = (await question(networks)).filter(({ intervalEnd }) => intervalEnd).map(({ key }) => key[0]);
    assert.deepEqual(ends.toSorted(), ["11.0.0.0", "192.0.2.10", "9.9.9.10"]);

    await where.sendNetfilter(nft.transaction(elements.flatMap(([set, list]) => nft.deleteElements(table, set, list))));
    for (const set of allSets) assert.deepEqual(await question(set), [], set.name);
    await where.sendNetfilter(
      nft.transaction([...nft.addElements(table, pairs, [{ key: ["a", "b"] }, { key: ["c", "d"] }])]),
    );
    await where.sendNetfilter(nft.transaction([nft.flushSet(table, "pairs")]));
    assert.deepEqual(await question(pairs), []);
  });

  test("thousands of elements travel in several messages of one transaction", async () => {
    using where = await networkNamespace(executor);
    await where.sendNetfilter(nft.transaction([nft.addTable(table), nft.addSet(table, publish4)]));
    const many = Array.from({ length: 4000 }, (_, port) => ({
      key: ["192.0.2.1", "tcp", port + 1],
      value: ["10.0.0.2", 60_000 - port],
      ...(port % 7 === 0 ? { comment: "c".repeat(100) } : {}),
    }));
    const requests = nft.addElements(table, publish4, many);
    assert.ok(requests.length > 1);
    await where.sendNetfilter(nft.transaction(requests));
    const found = nft.decodeElements(publish4, await where.queryNetfilter(nft.dumpElements(table, "publish4")));
    assert.equal(found.length, 4000);
    const expected = new Map(many.map(({ key, value }) => [key[2], value[1]]));
    for (const { key, value } of found) assert.equal((value as number[])[1], expected.get(key[2] as number));
  });

  test("a transaction with one wrong message changes nothing, and its errno is known", async () => {
    const first = nft.transaction([
      nft.addTable(table),
      nft.addSet(table, pairs),
      nft.deleteSet(table, "nothing"),
      nft.addChain(table, "c"),
    ]);
    using where = await networkNamespace(executor);
    await assert.rejects(where.sendNetfilter(first), { errno: "ENOENT" });
    using other = await networkNamespace(executor);
    const taken = [
      nft.addTable(table, { exclusive: true }),
      nft.addSet(table, pairs),
      ...nft.addElements(table, pairs, [{ key: ["a", "b"] }]),
    ];
    await other.sendNetfilter(nft.transaction(taken));
    await assert.rejects(
      other.sendNetfilter(
        nft.transaction([
          nft.addChain(table, "c"),
          ...nft.addElements(table, pairs, [{ key: ["a", "b"] }], { exclusive: true }),
        ]),
      ),
      { errno: "EEXIST" },
    );
    assert.doesNotMatch(other.run("nft", "list", "ruleset"), /chain c/);
  });

  test("tables, chains with their policies and rules with their handles are read", async () => {
    using where = await networkNamespace(executor);
    where.run(
      "nft",
      "add table ip foreign; add chain ip foreign FORWARD { type filter hook forward priority 5; policy drop; }",
    );
    where.run("nft", "add rule ip foreign FORWARD accept");
    await where.sendNetfilter(
      nft.transaction([
        nft.addTable(table, { comment: "a test's table" }),
        nft.addSet(table, pairs),
        nft.addChain(table, "raw", { type: "filter", hook: "prerouting", priority: nft.priorities.raw }),
        nft.addChain(table, "plain"),
        nft.addRule(table, "plain", [nft.accept], { comment: "second" }),
        nft.addRule(table, "plain", [nft.drop], { comment: "first", first: true }),
      ]),
    );
    const tables = nft.decodeTables(await where.queryNetfilter(nft.dumpTables()));
    assert.deepEqual(
      tables.map(({ family, name, comment }) => [family, name, comment]),
      [
        ["ip", "foreign", undefined],
        ["inet", "test", "a test's table"],
      ],
    );
    const chainsFound = nft.decodeChains(await where.queryNetfilter(nft.dumpChains()));
    const summary = chainsFound.map(({ table: { name: of }, name, type, hook, priority, policy }) => [
      of,
      name,
      type,
      hook,
      priority,
      policy,
    ]);
    assert.deepEqual(summary, [
      ["foreign", "FORWARD", "filter", "forward", 5, "drop"],
      ["test", "raw", "filter", "prerouting", -300, "accept"],
      ["test", "plain", undefined, undefined, undefined, undefined],
    ]);
    assert.equal(nft.decodeChains(await where.queryNetfilter(nft.dumpChains("inet"))).length, 2);
    const rules = nft.decodeRules(await where.queryNetfilter(nft.dumpRules(table)));
    assert.deepEqual(
      rules.map(({ chain, comment }) => [chain, comment]),
      [
        ["plain", "first"],
        ["plain", "second"],
      ],
    );
    assert.equal(nft.decodeRules(await where.queryNetfilter(nft.dumpRules())).length, 3);
    const setsFound = nft.decodeSets(await where.queryNetfilter(nft.dumpSets(table)));
    assert.deepEqual(
      setsFound.map(({ name }) => name),
      ["pairs"],
    );
    const handle = rules[0]?.handle ?? 0n;
    const between = [
      nft.deleteRule(table, "plain", handle),
      nft.addRule(table, "plain", [nft.counter()], { at: rules[1]?.handle }),
    ];
    await where.sendNetfilter(nft.transaction(between));
    assert.deepEqual(rulesOf(where, "inet", "plain"), ['accept comment "second"', "counter packets 0 bytes 0"]);
    await where.sendNetfilter(
      nft.transaction([nft.flushChain(table, "plain"), nft.deleteChain(table, "plain"), nft.deleteSet(table, "pairs")]),
    );
    await where.sendNetfilter(nft.transaction([nft.deleteTable(table)]));
    assert.equal(where.run("nft", "list", "tables").trim(), "table ip foreign");
  });

  test("a connection goes where a map says", async () => {
    using where = await networkNamespace(executor);
    const byName: nft.NftSet = { ...ranges6, name: "ranges4", value: [types.ipv4_addr] };
    await where.send([setLink(1, { up: true })]);
    await where.sendNetfilter(
      nft.transaction([
        nft.addTable(table),
        nft.addSet(table, publish4),
        nft.addSet(table, byName),
        nft.addChain(table, "out", { type: "nat", hook: "output", priority: nft.priorities.dstnat }),
        nft.addRule(table, "out", [nft.dnatTo([payload.ipv4.daddr, meta("l4proto"), payload.th.dport], publish4)]),
        nft.addRule(table, "out", [
          equals(fib.daddr.type, "local"),
          nft.dnatTo([meta("l4proto"), payload.th.dport], byName),
        ]),
        nft.addChain(table, "in", { type: "filter", hook: "input", priority: 0 }),
        nft.addRule(table, "in", [
          equals(payload.ipv4.daddr, "127.0.0.3"),
          equals(payload.tcp.dport, 99),
          nft.counter(),
        ]),
        nft.addRule(table, "in", [
          equals(payload.ipv4.daddr, "127.0.0.4"),
          equals(payload.tcp.dport, 8005),
          nft.counter(),
        ]),
        ...nft.addElements(table, publish4, [{ key: ["127.0.0.2", "tcp", 80], value: ["127.0.0.3", 99] }]),
        ...nft.addElements(table, byName, [{ key: ["tcp", { from: 8000, to: 8010 }], value: ["127.0.0.4"] }]),
      ]),
    );
    for (const target of ["127.0.0.2/80", "127.0.0.1/8005", "127.0.0.1/8011"])
      where.run("bash", "-c", `true 2>&1 >/dev/tcp/${target} | cat`);
    const counted = rulesOf(where, "inet", "in").map((rule) => /packets (\d+)/.exec(rule)?.[1]);
    assert.deepEqual(counted, ["1", "1"]);
  });
});
