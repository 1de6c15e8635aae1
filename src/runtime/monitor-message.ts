/** A message to a monitor: { u8 type, u8 a, u16 b, u32 c }, see `control` of the wire. */
export function message(type: number, fields: { a?: number; b?: number; c?: number } = {}): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt8(type, 0);
  bytes.writeUInt8(fields.a ?? 0, 1);
  bytes.writeUInt16LE(fields.b ?? 0, 2);
  bytes.writeUInt32LE(fields.c ?? 0, 4);
  return bytes;
}
