/** A tar writer that can also write what no honest program would. */

export interface TarMember {
  /** A string is UTF-8. */
  readonly name: string | Buffer;
  /** The type flag; "0" by default, "5" for a name that ends in "/". */
  readonly type?: string;
  readonly data?: string | Uint8Array;
  readonly link?: string | Buffer;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** What the header says; the data's length by default. */
  readonly size?: number;
  readonly mtime?: number;
  readonly major?: number;
  readonly minor?: number;
  readonly prefix?: string;
  readonly dialect?: "ustar" | "gnu" | "v7" | "star";
  /** Changes the finished header block; the checksum is made afterwards. */
  readonly patch?: (block: Buffer) => void;
  readonly wrongChecksum?: boolean;
  /** Old Suns summed signed bytes. */
  readonly signedChecksum?: boolean;
}

const BLOCK = 512;

/** The mark at the end. */
export const tarEnd: Buffer = Buffer.alloc(2 * BLOCK);

/** `bytes` filled up to whole blocks. */
export function padded(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (BLOCK - 1))]);
}

function putNumber(block: Buffer, value: number, at: number, length: number): void {
  const octal = value.toString(8);
  if (value >= 0 && octal.length < length) {
    block.write(octal.padStart(length - 1, "0"), at, "latin1");
    return;
  }
  let rest = BigInt.asUintN(length * 8, BigInt(value));
  for (let index = length - 1; index >= 0; index--) {
    block[at + index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  block[at] = ((block[at] ?? 0) | 0x80) & (value < 0 ? 0xff : 0xbf);
}

/** One member: header and data. */
export function tarMember(member: TarMember): Buffer {
  const name = Buffer.from(member.name);
  const data = Buffer.from(member.data ?? "");
  const dialect = member.dialect ?? "ustar";
  const block = Buffer.alloc(BLOCK);
  name.copy(block, 0, 0, 100);
  const isDirectory = name.at(-1) === 0x2f && dialect !== "v7";
  putNumber(block, member.mode ?? (isDirectory ? 0o755 : 0o644), 100, 8);
  putNumber(block, member.uid ?? 0, 108, 8);
  putNumber(block, member.gid ?? 0, 116, 8);
  putNumber(block, member.size ?? data.length, 124, 12);
  putNumber(block, member.mtime ?? 1_600_000_000, 136, 12);
  block.write(member.type ?? (isDirectory ? "5" : "0"), 156, "latin1");
  Buffer.from(member.link ?? "").copy(block, 157, 0, 100);
  if (dialect !== "v7") {
    block.write(dialect === "gnu" ? "ustar  \0" : "ustar\x0000", 257, "latin1");
    putNumber(block, member.major ?? 0, 329, 8);
    putNumber(block, member.minor ?? 0, 337, 8);
    block.write(member.prefix ?? "", 345, "latin1");
  }
  if (dialect === "star") block.write("tar\0", 508, "latin1");
  member.patch?.(block);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + (member.signedChecksum && byte > 127 ? byte - 256 : byte), 0);
  block.write(`${(sum + (member.wrongChecksum ? 1 : 0)).toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return Buffer.concat([block, padded(data)]);
}

/** PAX records "length key=value\n". */
export function paxRecords(records: Iterable<readonly [key: string, value: string | Uint8Array]>): Buffer {
  const lines = [...records].map(([key, value]) => {
    const body = Buffer.concat([Buffer.from(` ${key}=`), Buffer.from(value), Buffer.from("\n")]);
    let length = body.length + 1;
    while (String(length).length + body.length !== length) length = String(length).length + body.length;
    return Buffer.concat([Buffer.from(String(length)), body]);
  });
  return Buffer.concat(lines);
}

/** A PAX extended header for the next member; type "g": for all that follow. */
export function paxHeader(records: Record<string, string | Uint8Array>, type: "x" | "g" = "x"): Buffer {
  return tarMember({ name: "PaxHeaders/x", type, data: paxRecords(Object.entries(records)) });
}

/** GNU's long name ("L") or long link ("K") for the next member. */
export function gnuLong(type: "L" | "K", text: string | Buffer): Buffer {
  return tarMember({
    name: "././@LongLink",
    type,
    dialect: "gnu",
    data: Buffer.concat([Buffer.from(text), Buffer.alloc(1)]),
  });
}

/** An archive of members, given as members or ready blocks, with the end mark. */
export function tarArchive(...parts: readonly (TarMember | Buffer)[]): Buffer {
  return Buffer.concat([...parts.map((part) => (Buffer.isBuffer(part) ? part : tarMember(part))), tarEnd]);
}

/** `bytes` in pieces of at most `size`, as they come from a network. */
export async function* inPieces(bytes: Buffer, size = 65536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Makes the checksums of damaged headers right, so that the damage gets further. */
export function repairChecksums(archive: Buffer): void {
  for (let at = 0; at < archive.length; at += BLOCK) {
    const block = archive.subarray(at, at + BLOCK);
    if (!block.includes("ustar")) continue;
    block.fill(0x20, 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  }
}
