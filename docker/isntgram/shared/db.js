/**
 * The database, by its URL alone. TLS is what the URL's `sslmode` says, as libpq reads it: with `verify-full` the
 * certificate must be signed by `sslrootcert` and name the host. `sslrootcert=system` trusts what Node.js trusts.
 */
import { readFileSync } from "node:fs";
import pg from "pg";

const UNVERIFIED = ["require", "prefer", "allow"];

/** What `pg` needs of such a URL. */
export function settings(text, read = (path) => readFileSync(path, "utf8")) {
  const url = new URL(text);
  const mode = url.searchParams.get("sslmode") ?? "disable";
  const root = url.searchParams.get("sslrootcert");
  // pg would read these itself, and knows neither `system` nor addresses without a name.
  for (const key of ["sslmode", "sslrootcert"]) url.searchParams.delete(key);
  if (mode === "disable") return { connectionString: url.href, ssl: false };
  if (UNVERIFIED.includes(mode)) return { connectionString: url.href, ssl: { rejectUnauthorized: false } };
  const ssl = { rejectUnauthorized: true, host: url.hostname };
  if (root && root !== "system") ssl.ca = read(root);
  if (mode === "verify-ca") ssl.checkServerIdentity = () => undefined;
  return { connectionString: url.href, ssl };
}

/** Connections, made when they are needed. */
export function pool(service, log, env = process.env) {
  if (!env.DATABASE_URL) throw new Error("DATABASE_URL is not set");
  const made = new pg.Pool({
    ...settings(env.DATABASE_URL),
    application_name: service,
    max: Number(env.DB_POOL_MAX ?? 10),
    connectionTimeoutMillis: 5000,
    query_timeout: 10_000,
  });
  // An idle connection that the server ends is replaced when the next one is wanted.
  made.on("error", (error) => log.warn("a connection was lost", { error: error.message }));
  return made;
}

/** Whether the database answers. */
export async function isUp(db, log) {
  try {
    await db.query("SELECT 1");
    return true;
  } catch (error) {
    log.error("the database does not answer", { error: error.message });
    return false;
  }
}
