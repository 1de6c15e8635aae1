/** An address that programs are loaded at. */
const base = 0x400000;
/** Bytes of an ELF header, and of one program header behind it; elf(5). */
const headers = 64 + 56;

/** System calls of arm64. */
const calls = { mkdirat: 34, write: 64, exit_group: 94 };

/**
 * A program for arm64 that writes a text to its standard output and makes a directory: what a processor of another kind cannot do
 * by itself. It needs nothing else, no library and no shell.
 */
export function arm64Program(text: string, directory: string): Buffer {
  const instructions = 15;
  const said = Buffer.from(text);
  const path = Buffer.from(`${directory}\0`);
  const words: number[] = [];
  const move = (register: number, value: number) => words.push(0xd2800000 | (value << 5) | register);
  const address = (register: number, to: number) => {
    const by = to - words.length * 4;
    words.push(0x10000000 | ((by & 3) << 29) | ((by >> 2) << 5) | register);
  };
  const call = (name: keyof typeof calls) => {
    move(8, calls[name]);
    words.push(0xd4000001);
  };
  move(0, 1);
  address(1, instructions * 4);
  move(2, said.length);
  call("write");
  words.push(0x92800c60); // x0 = AT_FDCWD
  address(1, instructions * 4 + said.length);
  move(2, 0o755);
  call("mkdirat");
  move(0, 0);
  call("exit_group");
  while (words.length < instructions) words.push(0xd503201f); // nop
  const code = Buffer.alloc(instructions * 4);
  for (const [index, word] of words.entries()) code.writeUInt32LE(word >>> 0, index * 4);
  return elf(Buffer.concat([code, said, path]));
}

/** A static executable of one segment, which begins with its code. */
function elf(body: Buffer): Buffer {
  const header = Buffer.alloc(headers);
  header.write("\x7fELF\x02\x01\x01", "latin1");
  const fields: [at: number, size: 2 | 4 | 8, value: number][] = [
    [16, 2, 2], // ET_EXEC
    [18, 2, 183], // EM_AARCH64
    [20, 4, 1],
    [24, 8, base + headers], // where it begins
    [32, 8, 64], // where the program headers are
    [52, 2, 64],
    [54, 2, 56],
    [56, 2, 1],
    [64, 4, 1], // PT_LOAD
    [68, 4, 5], // readable, executable
    [80, 8, base],
    [88, 8, base],
    [96, 8, headers + body.length],
    [104, 8, headers + body.length],
    [112, 8, 0x1000],
  ];
  for (const [at, size, value] of fields) {
    if (size === 8) header.writeBigUInt64LE(BigInt(value), at);
    else header.writeUIntLE(value, at, size);
  }
  return Buffer.concat([header, body]);
}
