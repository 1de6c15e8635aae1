import { SampanError } from "../../errors/index.ts";

const powers = ["", "k", "m", "g", "t", "p"];

/** Bytes of "10G", "1.5gib" or "512", in powers of 1024 as docker's RAMInBytes reads them. Throws `invalid` with its texts. */
export function parseSize(text: string): number {
  const [, digits = "", suffix = ""] = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(text) ?? [];
  if (digits === "") throw new SampanError("invalid", `invalid size: '${text}'`);
  const power = powers.indexOf(suffix.toLowerCase().replace(/i?b$/, ""));
  if (power < 0) throw new SampanError("invalid", `invalid suffix: '${suffix}'`);
  return Math.floor(Number(digits) * 1024 ** power);
}
