/**
 * `migrate up` applies what is pending, `down` reverts the last one, `status` lists all and ends with 1 while one is
 * pending. Files and ledger are TypeORM's: `<timestamp>-Name.js` with `up` and `down`, noted in the table `migrations`.
 * Each runs in one transaction with its row.
 */
import { readdir } from "node:fs/promises";
import pg from "pg";
import { settings } from "../shared/db.js";
import { logger } from "../shared/log.js";

const DIR = new URL("./migrations/", import.meta.url);
const LOCK = 7_463_001;
const LEDGER =
  "CREATE TABLE IF NOT EXISTS migrations (id serial PRIMARY KEY, timestamp bigint NOT NULL, name varchar NOT NULL UNIQUE)";

/** The migrations among these files, oldest first. */
export function parseNames(files) {
  return files
    .flatMap((file) => {
      const match = /^(\d{13})-(\w+)\.js$/.exec(file);
      return match ? [{ file, timestamp: Number(match[1]), name: `${match[2]}${match[1]}` }] : [];
    })
    .sort((a, b) => a.timestamp - b.timestamp);
}

async function applied(client) {
  const { rows } = await client.query("SELECT to_regclass('migrations') IS NOT NULL AS present");
  if (!rows[0].present) return [];
  const known = await client.query("SELECT name FROM migrations ORDER BY id");
  return known.rows.map((row) => row.name);
}

async function step(client, migration, direction, note) {
  const { default: steps } = await import(new URL(migration.file, DIR));
  await client.query("BEGIN");
  try {
    await steps[direction](client);
    await note();
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK");
    throw new Error(`${migration.file}: ${error.message}`, { cause: error });
  }
}

export async function up(client, all) {
  await client.query(LEDGER);
  const known = await applied(client);
  const pending = all.filter(({ name }) => !known.includes(name));
  for (const migration of pending) {
    await step(client, migration, "up", () =>
      client.query("INSERT INTO migrations (timestamp, name) VALUES ($1, $2)", [migration.timestamp, migration.name]),
    );
  }
  return pending.map(({ name }) => `applied ${name}`);
}

export async function down(client, all) {
  const last = (await applied(client)).at(-1);
  if (!last) return [];
  const migration = all.find(({ name }) => name === last);
  if (!migration) throw new Error(`${last} was applied, and has no file here`);
  await step(client, migration, "down", () => client.query("DELETE FROM migrations WHERE name = $1", [last]));
  return [`reverted ${last}`];
}

async function status(client, all) {
  const known = await applied(client);
  const pending = all.filter(({ name }) => !known.includes(name));
  if (pending.length > 0) process.exitCode = 1;
  return all.map((migration) => `${pending.includes(migration) ? "pending" : "applied"} ${migration.name}`);
}

async function main(command) {
  const commands = { up, down, status };
  if (!Object.hasOwn(commands, command)) throw new Error("migrate up, down or status");
  const client = new pg.Client({ ...settings(process.env.DATABASE_URL ?? ""), application_name: "migrate" });
  await client.connect();
  try {
    const { rows } = await client.query("SELECT pg_try_advisory_lock($1) AS locked", [LOCK]);
    if (!rows[0].locked) throw new Error("another migration is running");
    const lines = await commands[command](client, parseNames(await readdir(DIR)));
    console.log(lines.join("\n") || "nothing to do");
  } finally {
    await client.end();
  }
}

if (import.meta.url === `file://${process.argv[1]}`) {
  main(process.argv[2]).catch((error) => {
    logger("migrate", "info", (line) => process.stderr.write(line)).error("migration failed", { error: error.message });
    process.exitCode = 2;
  });
}
