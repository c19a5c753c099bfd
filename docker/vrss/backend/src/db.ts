import pg from "pg";
import type { Config } from "./config.ts";
import { describeError, type Log } from "./log.ts";

/** A pool, a client, or a client inside a transaction. */
export type Queryable = Pick<pg.ClientBase, "query">;

function connection(db: Config["db"]): pg.ClientConfig {
  return {
    host: db.host,
    port: db.port,
    database: db.name,
    user: db.user,
    password: db.password,
    ssl: db.tls,
    connectionTimeoutMillis: 5000,
    query_timeout: 10_000,
    statement_timeout: 10_000,
    keepAlive: true,
    application_name: "vrss-backend",
  };
}

/** Grows to `poolMax` under load and shrinks to `poolMin` when idle. */
export function createPool(db: Config["db"], log: Log): pg.Pool {
  const pool = new pg.Pool({
    ...connection(db),
    min: db.poolMin,
    max: db.poolMax,
    idleTimeoutMillis: 30_000,
  });
  pool.on("error", (error) => log.warn("an idle database connection was lost", describeError(error)));
  return pool;
}

/** Opens the pool's minimum at once, so that the first requests need not. */
export async function warmUp(pool: pg.Pool, count: number): Promise<void> {
  const clients = await Promise.all(Array.from({ length: count }, () => pool.connect()));
  for (const client of clients) client.release();
}

/** Runs `onPost` for each new post, whichever instance wrote it; reconnects for as long as it is wanted. */
export function listenForPosts(
  db: Config["db"],
  log: Log,
  onPost: (id: string) => void,
): () => Promise<void> {
  let current: pg.Client | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  const connect = async () => {
    const client = new pg.Client({ ...connection(db), application_name: "vrss-backend-listener" });
    current = client;
    let over = false;
    const retry = (error?: unknown) => {
      if (over) return;
      over = true;
      client.end().catch(() => {});
      if (stopped) return;
      log.warn("lost the channel of new posts; trying again", error ? describeError(error) : {});
      timer = setTimeout(connect, 2000);
    };
    client.on("error", retry);
    client.on("end", () => retry());
    client.on("notification", ({ payload }) => payload && onPost(payload));
    try {
      await client.connect();
      await client.query("LISTEN post_created");
    } catch (error) {
      retry(error);
    }
  };
  void connect();

  return async () => {
    stopped = true;
    clearTimeout(timer);
    await current?.end().catch(() => {});
  };
}
