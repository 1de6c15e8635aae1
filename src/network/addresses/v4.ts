/** An IPv4 address as an unsigned 32-bit number; undefined when `text` is none. No leading zeros: "010" means 8 to some. */
export function parseIpv4(text: string): number | undefined {
  let value = 0;
  let parts = 0;
  let part = -1;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0x2e;
    if (code === 0x2e) {
      if (part < 0 || ++parts > 4) return undefined;
      value = value * 256 + part;
      part = -1;
      continue;
    }
    const digit = code - 0x30;
    if (digit < 0 || digit > 9 || part === 0) return undefined;
    part = part < 0 ? digit : part * 10 + digit;
    if (part > 255) return undefined;
  }
  return parts === 4 ? value : undefined;
}

/** The dotted form of a 32-bit number. */
export function printIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}
