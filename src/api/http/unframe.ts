import { Transform } from "node:stream";

const headerSize = 8;

/** Takes Docker's frame headers out of a stream: both of a container's outputs as one. */
export function unframe(): Transform {
  let header = Buffer.alloc(0);
  let left = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let rest = chunk;
      while (rest.length > 0) {
        if (left === 0) {
          const missing = headerSize - header.length;
          header = Buffer.concat([header, rest.subarray(0, missing)]);
          rest = rest.subarray(missing);
          if (header.length < headerSize) break;
          left = header.readUInt32BE(4);
          header = Buffer.alloc(0);
        }
        const payload = rest.subarray(0, left);
        if (payload.length > 0) this.push(Buffer.from(payload));
        rest = rest.subarray(payload.length);
        left -= payload.length;
      }
      done();
    },
  });
}
