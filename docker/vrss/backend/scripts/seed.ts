/** Runs every file of seeds/ in order of name, in one transaction. They may run again: what is there stays. */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { readConfig } from "../src/config.ts";

const DIR = join(import.meta.dir, "..", "seeds");

const { db, production } = readConfig(process.env);
if (production) throw new Error("seeds are for development; this is production");
const client = new pg.Client({ ...db, database: db.name, ssl: db.tls });
await client.connect();
try {
  await client.query("BEGIN");
  for (const file of (await readdir(DIR)).filter((name) => name.endsWith(".sql")).sort()) {
    await client.query(await readFile(join(DIR, file), "utf8"));
    console.log(`seeded ${file}`);
  }
  await client.query("COMMIT");
} finally {
  await client.end();
}
