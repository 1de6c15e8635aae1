import { be32, text } from "../attribute.ts";
import { NLM_F_CREATE, NLM_F_EXCL, type Request } from "../message.ts";
import * as c from "./constants.ts";
import { comment, nftRequest, type Table } from "./request.ts";

/** Makes the table; one that is there stays as it is, unless `exclusive` (EEXIST). */
export function addTable(
  table: Table,
  options: { readonly comment?: string | undefined; readonly exclusive?: boolean | undefined } = {},
): Request {
  const flags = NLM_F_CREATE | (options.exclusive ? NLM_F_EXCL : 0);
  return nftRequest(c.NFT_MSG_NEWTABLE, table.family, flags, [
    text(c.NFTA_TABLE_NAME, table.name),
    be32(c.NFTA_TABLE_FLAGS, 0),
    ...comment(c.NFTA_TABLE_USERDATA, c.UDATA_COMMENT, options.comment),
  ]);
}

/** Deletes the table with all that is in it. ENOENT when it is not there: `addTable` before makes sure that it is. */
export function deleteTable(table: Table): Request {
  return nftRequest(c.NFT_MSG_DELTABLE, table.family, 0, [text(c.NFTA_TABLE_NAME, table.name)]);
}
