import pg from "pg";
import { createClient } from "redis";
import { createApp } from "./app.js";
import { readConfig } from "./config.js";
import { createLog } from "./log.js";

const DRAIN_MS = 8000;

async function start() {
  const config = readConfig(process.env);
  const log = createLog(config.log);

  const db = new pg.Pool({ connectionString: config.databaseUrl, max: 10, connectionTimeoutMillis: 2000 });
  db.on("error", (error) => log.warn("a connection to the database was lost", { error: error.message }));
  // Commands fail at once while it is away, rather than wait for it.
  const cache = createClient({ url: config.redisUrl, disableOfflineQueue: true });
  cache.on("error", (error) => log.warn("redis is away", { error: error.message }));
  cache.connect().catch((error) => log.error("redis cannot be reached", { error: error.message }));

  const server = createApp({ config, db, cache, log }).listen(config.port, "0.0.0.0", () =>
    log.info("listening", { port: config.port, node: process.version }),
  );

  let stopping = false;
  const stop = (signal) => {
    if (stopping) return;
    stopping = true;
    log.info("stopping", { signal });
    const end = async () => {
      await Promise.allSettled([db.end(), cache.isOpen ? cache.quit() : null]);
      log.info("stopped");
      process.exit(0);
    };
    server.close(end); // no new connections; what is under way goes on
    server.closeIdleConnections();
    setTimeout(end, DRAIN_MS).unref();
  };
  process.on("SIGTERM", () => stop("SIGTERM"));
  process.on("SIGINT", () => stop("SIGINT"));
}

start().catch((error) => {
  createLog({ level: "error", dir: null }).error("could not start", { error: error.message });
  process.exitCode = 1;
});
