/**
 * `up` applies what is pending, `down` reverts the last one, `status` ends with 2 when something is pending. Each file
 * is one transaction with its row in the ledger; one migrator works at a time.
 */
import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import pg from "pg";

const DIR = fileURLToPath(new URL("../migrations/", import.meta.url));
const LOCK = 4_711_002;
const LEDGER = `CREATE TABLE IF NOT EXISTS schema_migrations (
  version text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())`;

/** The versions, in order; one without a way down is an error before anything happens. */
export function versionsOf(files) {
  const ups = files.filter((file) => file.endsWith(".up.sql")).map((file) => file.slice(0, -".up.sql".length));
  const bare = ups.filter((version) => !files.includes(`${version}.down.sql`));
  if (bare.length > 0) throw new Error(`there is no way down from ${bare.join(", ")}`);
  return ups.sort();
}

async function applied(client) {
  const { rows } = await client.query("SELECT version FROM schema_migrations ORDER BY version");
  return rows.map((row) => row.version);
}

/** What one file says, and what the ledger says about it, or neither. */
async function step(client, dir, file, ledger, version) {
  const sql = await readFile(`${dir}${file}`, "utf8");
  await client.query("BEGIN");
  try {
    await client.query(sql);
    await client.query(ledger, [version]);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw new Error(`${file}: ${error.message}`, { cause: error });
  }
}

export async function migrate(client, command, dir = DIR, say = console.log) {
  const versions = versionsOf(await readdir(dir));
  if (command === "status") {
    const { rows } = await client.query("SELECT to_regclass('schema_migrations') IS NOT NULL AS there");
    const done = rows[0].there ? await applied(client) : [];
    for (const version of versions) say(`${done.includes(version) ? "applied" : "pending"}  ${version}`);
    return versions.every((version) => done.includes(version)) ? 0 : 2;
  }
  await client.query("SELECT pg_advisory_lock($1)", [LOCK]);
  await client.query(LEDGER);
  const done = await applied(client);
  if (command === "up") {
    const pending = versions.filter((version) => !done.includes(version));
    for (const version of pending) {
      await step(client, dir, `${version}.up.sql`, "INSERT INTO schema_migrations (version) VALUES ($1)", version);
      say(`applied ${version}`);
    }
    if (pending.length === 0) say("nothing is pending");
    return 0;
  }
  if (command === "down") {
    const last = done.at(-1);
    if (!last) say("nothing is applied");
    else {
      if (!versions.includes(last)) throw new Error(`${last} is applied, and its files are not here`);
      await step(client, dir, `${last}.down.sql`, "DELETE FROM schema_migrations WHERE version = $1", last);
      say(`reverted ${last}`);
    }
    return 0;
  }
  throw new Error("usage: migrate.js up|down|status");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const client = new pg.Client({ connectionString: process.env.DATABASE_URL });
  try {
    await client.connect();
    process.exitCode = await migrate(client, process.argv[2]);
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await client.end();
  }
}
