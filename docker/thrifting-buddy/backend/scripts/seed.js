/** Runs every file of seeds/ in order of name, in one transaction. They may run again: what is there stays. */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import pg from "pg";

if (process.env.NODE_ENV === "production") throw new Error("seeds are for development; this is production");
const dir = fileURLToPath(new URL("../seeds/", import.meta.url));
const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
await client.connect();
try {
  await client.query("BEGIN");
  for (const file of (await readdir(dir)).filter((name) => name.endsWith(".sql")).sort()) {
    await client.query(await readFile(`${dir}${file}`, "utf8"));
    console.log(`seeded ${file}`);
  }
  await client.query("COMMIT");
} finally {
  await client.end();
}
