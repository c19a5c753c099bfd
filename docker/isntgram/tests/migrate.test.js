import assert from "node:assert/strict";
import { test } from "node:test";
import pg from "pg";
import { down, parseNames, up } from "../api/migrate.js";
import { settings } from "../shared/db.js";

test("names are TypeORM's, oldest first, and other files are none", () => {
  const found = parseNames(["1760000100000-B.js", "README.md", "1760000000000-A.js", "x-1760000000000.js"]);
  assert.deepEqual(found.map(({ name }) => name), ["A1760000000000", "B1760000100000"]);
});

test("what is applied can be reverted", { skip: !process.env.DATABASE_URL }, async () => {
  const client = new pg.Client(settings(process.env.DATABASE_URL));
  await client.connect();
  try {
    // A session's own schema, gone with the session.
    await client.query("SET search_path = pg_temp");
    const all = parseNames(["1760000000000-CreateUsers.js"]);
    assert.deepEqual(await up(client, all), ["applied CreateUsers1760000000000"]);
    assert.deepEqual(await up(client, all), []);
    assert.deepEqual(await down(client, all), ["reverted CreateUsers1760000000000"]);
    assert.deepEqual(await down(client, all), []);
  } finally {
    await client.end();
  }
});
