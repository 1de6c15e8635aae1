import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { migrate, openDatabase, transaction } from "./database.ts";

const directory = mkdtempSync(join(tmpdir(), "sampan-database-"));
after(() => rmSync(directory, { recursive: true }));

test("areas migrate on their own, each statement once", () => {
  const db = openDatabase(join(directory, "migrate.db"));
  migrate(db, "one", ["CREATE TABLE a (x)"]);
  migrate(db, "one", ["CREATE TABLE a (x)", "CREATE TABLE b (x)"]);
  migrate(db, "two", ["CREATE TABLE c (x)"]);
  assert.throws(() => migrate(db, "one", ["CREATE TABLE a (x)"]), { kind: "unsupported" });
  assert.throws(() => migrate(db, "three", ["CREATE TABLE d (x)", "nonsense"]));
  assert.throws(() => db.exec("SELECT * FROM d"), /no such table/);
  db.close();
});

test("a transaction is all or nothing, nested ones are part of it", () => {
  const db = openDatabase(join(directory, "transaction.db"));
  db.exec("CREATE TABLE a (x)");
  const insert = () => db.exec("INSERT INTO a VALUES (1)");
  assert.throws(
    () =>
      transaction(db, () => {
        transaction(db, insert);
        throw new TypeError("no");
      }),
    TypeError,
  );
  assert.equal(db.prepare("SELECT count(*) AS n FROM a").get()?.n, 0);
  assert.equal(
    transaction(db, () => {
      insert();
      return 7;
    }),
    7,
  );
  assert.equal(db.prepare("SELECT count(*) AS n FROM a").get()?.n, 1);
  db.close();
});

test("a database that cannot be opened is an error that names it", () => {
  assert.throws(() => openDatabase(join(directory, "none", "x.db")), /none\/x\.db/);
});
