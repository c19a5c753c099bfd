/**
 * `migrate up` applies what is pending, each file in one transaction with its row in the ledger. The layout and
 * the ledger are those of sqlx, so other tools that know it can take over at any time.
 * `migrate create NAME` writes an empty pair of files.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { readConfig } from "../src/config.ts";

export type Migration = { version: string; description: string; file: string };

const DIR = join(import.meta.dir, "..", "migrations");
const LEDGER = `CREATE TABLE IF NOT EXISTS _sqlx_migrations (
  version bigint PRIMARY KEY, description text NOT NULL, installed_on timestamptz NOT NULL DEFAULT now(),
  success boolean NOT NULL, checksum bytea NOT NULL, execution_time bigint NOT NULL)`;

export function parseNames(files: string[]): Migration[] {
  return files
    .flatMap((file) => {
      const match = /^(\d+)_(.+)\.up\.sql$/.exec(file);
      return match
        ? [{ version: match[1] ?? "", description: (match[2] ?? "").replaceAll("_", " "), file }]
        : [];
    })
    .sort((a, b) => (BigInt(a.version) < BigInt(b.version) ? -1 : 1));
}

/** The key that sqlx locks while it migrates this database. */
export function lockKey(database: string): bigint {
  return 0x3d32ad9en * BigInt(Bun.hash.crc32(database));
}

export async function up(client: pg.ClientBase, dir: string, database: string): Promise<string[]> {
  const key = lockKey(database).toString();
  const lock = await client.query<{ locked: boolean }>("SELECT pg_try_advisory_lock($1) AS locked", [key]);
  if (!lock.rows[0]?.locked) throw new Error("another migration is running");
  try {
    const fresh = await client.query<{ ledger: string | null; users: string | null }>(
      "SELECT to_regclass('_sqlx_migrations')::text AS ledger, to_regclass('users')::text AS users",
    );
    await client.query(LEDGER);
    const migrations = parseNames(await readdir(dir));
    const lines: string[] = [];
    const { rows } = await client.query<{ version: string; success: boolean; checksum: string }>(
      "SELECT version::text, success, encode(checksum, 'hex') AS checksum FROM _sqlx_migrations",
    );
    const applied = new Map(rows.map((row) => [row.version, row]));
    // The image's init scripts made the tables of the first migration, but no ledger.
    const baseline = fresh.rows[0]?.ledger === null && fresh.rows[0]?.users !== null;
    for (const [index, { version, description, file }] of migrations.entries()) {
      const sql = await readFile(join(dir, file), "utf8");
      const checksum = createHash("sha384").update(sql).digest("hex");
      const known = applied.get(version);
      if (known) {
        if (!known.success) throw new Error(`${file} failed halfway before; repair it first`);
        if (known.checksum !== checksum) throw new Error(`${file} was edited after it was applied`);
        continue;
      }
      const present = baseline && index === 0;
      const started = process.hrtime.bigint();
      await client.query("BEGIN");
      try {
        if (!present) await client.query(sql);
        const took = (process.hrtime.bigint() - started).toString();
        await client.query(
          "INSERT INTO _sqlx_migrations VALUES ($1, $2, now(), true, decode($3, 'hex'), $4)",
          [version, description, checksum, took],
        );
        await client.query("COMMIT");
      } catch (error) {
        await client.query("ROLLBACK");
        throw new Error(`${file}: ${error instanceof Error ? error.message : error}`, { cause: error });
      }
      lines.push(`${present ? "recorded as present" : "applied"} ${file}`);
    }
    return lines;
  } finally {
    await client.query("SELECT pg_advisory_unlock($1)", [key]);
  }
}

async function create(name: string): Promise<void> {
  if (!/^[a-z0-9_]+$/.test(name)) throw new Error("a name has a-z, 0-9 and _ only");
  const stamp = new Date().toISOString().replace(/\D/g, "").slice(0, 14);
  for (const kind of ["up", "down"]) {
    const file = join(DIR, `${stamp}_${name}.${kind}.sql`);
    await writeFile(file, "", { flag: "wx" });
    console.log(file);
  }
}

if (import.meta.main) {
  const [command, name = ""] = process.argv.slice(2);
  if (command === "create") {
    await create(name);
  } else {
    const { db } = readConfig(process.env);
    const client = new pg.Client({ ...db, database: db.name, ssl: db.tls });
    await client.connect();
    try {
      const lines = await up(client, DIR, db.name);
      console.log(lines.join("\n") || "nothing to do");
    } finally {
      await client.end();
    }
  }
}
