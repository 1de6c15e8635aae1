/** How a value is written: https://protobuf.dev/programming-guides/encoding/. "int" are all varints that are safe integers. */
export type Scalar = "string" | "bytes" | "bool" | "int" | "bigint";

/** A field of a message. `Value` is what it is decoded to. */
export interface Field<Value = unknown> {
  readonly number: number;
  readonly type: Scalar | Message<Fields>;
  readonly shape: "one" | "optional" | "repeated" | "map";
  /** Only for the type. */
  readonly value?: Value;
}

export type Fields = Readonly<Record<string, Field>>;

/** A message as data: what a .proto file says of it, without the parts that are never used. */
export interface Message<All extends Fields> {
  readonly name: string;
  readonly fields: All;
}

type ValueOf<One> = One extends Field<infer Value> ? Value : never;

/** A message that was received: what it did not say has its default. */
export type Received<One> =
  One extends Message<infer All> ? { readonly [Name in keyof All]: ValueOf<All[Name]> } : never;

/** A message to send: what it does not say has its default. */
export type Sent<One> = Partial<Received<One>>;

export function message<const All extends Fields>(name: string, fields: All): Message<All> {
  return { name, fields };
}

export const text = (number: number): Field<string> => ({ number, type: "string", shape: "one" });
export const bytes = (number: number): Field<Buffer> => ({ number, type: "bytes", shape: "one" });
export const bool = (number: number): Field<boolean> => ({ number, type: "bool", shape: "one" });
/** Any integer that a double holds; a larger one is refused. */
export const int = (number: number): Field<number> => ({ number, type: "int", shape: "one" });
/** An int64 of any size. */
export const bigint = (number: number): Field<bigint> => ({ number, type: "bigint", shape: "one" });
export const texts = (number: number): Field<readonly string[]> => ({ number, type: "string", shape: "repeated" });
export const byteStrings = (number: number): Field<readonly Buffer[]> => ({ number, type: "bytes", shape: "repeated" });
export const textMap = (number: number): Field<ReadonlyMap<string, string>> => ({
  ...{ number, type: "string", shape: "map" },
});
export const bytesMap = (number: number): Field<ReadonlyMap<string, Buffer>> => ({
  ...{ number, type: "bytes", shape: "map" },
});

export function optional<One extends Message<Fields>>(number: number, type: One): Field<Sent<One> | undefined> {
  return { number, type, shape: "optional" };
}

export function repeated<One extends Message<Fields>>(number: number, type: One): Field<readonly Sent<One>[]> {
  return { number, type, shape: "repeated" };
}

export function mapOf<One extends Message<Fields>>(number: number, type: One): Field<ReadonlyMap<string, Sent<One>>> {
  return { number, type, shape: "map" };
}
