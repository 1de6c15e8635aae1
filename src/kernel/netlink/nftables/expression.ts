import { type Attribute, be32, bytes, nested, text } from "../attribute.ts";
import * as c from "./constants.ts";
import { type Verdict, verdictData } from "./verdicts.ts";

/**
 * The instructions of the kernel's rule machine, one function each: NFTA_LIST_ELEM with name and attributes. Rules are
 * written with ./statements.ts, which puts these together. Registers are counted in 32-bit words from 0.
 */
export type Expression = Attribute;

const NFT_REG_VERDICT = 0;
const NFT_REG_1 = 1;
const NFT_REG32_00 = 8;

/** The kernel's number of the register that begins with a 32-bit word; the first has its old name, as nft(8) writes it. */
export function register(word: number): number {
  return word === 0 ? NFT_REG_1 : NFT_REG32_00 + word;
}

export function expression(name: string, attributes: readonly Attribute[]): Expression {
  return nested(c.NFTA_LIST_ELEM, [text(c.NFTA_EXPR_NAME, name), nested(c.NFTA_EXPR_DATA, attributes)]);
}

export function data(type: number, value: Uint8Array): Attribute {
  return nested(type, [bytes(c.NFTA_DATA_VALUE, value)]);
}

const operators = { "==": 0, "!=": 1, "<": 2, "<=": 3, ">": 4, ">=": 5 } as const;
export type Operator = keyof typeof operators;

/** Goes on with the rule only if it is so. Orders compare bytes, so they are for numbers in the network's order. */
export function compare(word: number, operator: Operator, value: Uint8Array): Expression {
  return expression("cmp", [be32(1, register(word)), be32(2, operators[operator]), data(3, value)]);
}

export function range(word: number, inside: boolean, from: Uint8Array, to: Uint8Array): Expression {
  return expression("range", [be32(1, register(word)), be32(2, inside ? 0 : 1), data(3, from), data(4, to)]);
}

/** Leaves only the bits of `mask`. */
export function bitwise(word: number, mask: Uint8Array, flip = new Uint8Array(mask.length)): Expression {
  return expression("bitwise", [
    be32(1, register(word)),
    be32(2, register(word)),
    be32(3, mask.length),
    data(4, mask),
    data(5, flip),
  ]);
}

const NFT_LOOKUP_F_INV = 1;

/** Goes on if the key is in the set (or with `inverted` is not); of a map the value is left in `result`. */
export function lookup(
  set: string,
  word: number,
  options: { readonly result?: number | "verdict"; readonly inverted?: boolean } = {},
): Expression {
  const attributes = [text(1, set), be32(2, register(word))];
  const { result } = options;
  if (result !== undefined) attributes.push(be32(3, result === "verdict" ? NFT_REG_VERDICT : register(result)));
  if (options.inverted) attributes.push(be32(5, NFT_LOOKUP_F_INV));
  return expression("lookup", attributes);
}

/** Puts a constant into a register. */
export function immediate(word: number, value: Uint8Array): Expression {
  return expression("immediate", [be32(1, register(word)), data(2, value)]);
}

export function verdictExpression(verdict: Verdict): Expression {
  return expression("immediate", [be32(1, NFT_REG_VERDICT), nested(2, [verdictData(verdict)])]);
}
