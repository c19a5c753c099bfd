import type { ServerWebSocket } from "bun";
import { createApp } from "./app.ts";
import { type Config, readConfig } from "./config.ts";
import { createPool, listenForPosts, warmUp } from "./db.ts";
import { createLog, describeError, type Log } from "./log.ts";

const DRAIN_MS = 8000;
const NEW_POSTS = "posts";

/** Browsers send a WebSocket's handshake from any page, cookies included, and ask no permission first. */
function mayConnect(request: Request, allowed: string[]): boolean {
  const origin = request.headers.get("origin");
  if (origin === null || allowed.includes(origin)) return true;
  return URL.canParse(origin) && new URL(origin).host === request.headers.get("host");
}

function start(config: Config, log: Log): void {
  const pool = createPool(config.db, log);
  const sockets = new Set<ServerWebSocket<unknown>>();

  const app = createApp({
    config,
    db: pool,
    log,
    // nginx replaces the header by the address it sees, so it holds exactly one.
    clientOf: (request) =>
      (config.trustProxy && request.headers.get("x-forwarded-for")) ||
      server.requestIP(request)?.address ||
      "unknown",
  });

  const server = Bun.serve({
    port: config.port,
    maxRequestBodySize: 128 * 1024,
    fetch(request, server) {
      if (new URL(request.url).pathname !== "/api/ws") return app.fetch(request);
      if (!mayConnect(request, config.corsOrigins))
        return new Response("this origin may not connect", { status: 403 });
      return server.upgrade(request) ? undefined : new Response("expected a WebSocket", { status: 426 });
    },
    websocket: {
      maxPayloadLength: 1024,
      open(socket) {
        sockets.add(socket);
        socket.subscribe(NEW_POSTS);
      },
      message() {}, // the channel only speaks
      close(socket) {
        sockets.delete(socket);
      },
    },
  });

  const stopListening = listenForPosts(config.db, log, (id) =>
    server.publish(NEW_POSTS, JSON.stringify({ created: id })),
  );
  warmUp(pool, config.db.poolMin).catch((error) =>
    log.warn("the database is not there yet", describeError(error)),
  );
  log.info("listening", { port: server.port, runtime: `bun ${Bun.version}` });

  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info("stopping", { signal, pending: server.pendingRequests });
    server.stop(); // no new connections; what is under way goes on
    for (const socket of sockets) socket.close(1001, "going away");
    const deadline = Date.now() + DRAIN_MS;
    while (server.pendingRequests > 0 && Date.now() < deadline) await Bun.sleep(20);
    await stopListening();
    await Promise.race([pool.end(), Bun.sleep(1000)]);
    log.info("stopped", { abandoned: server.pendingRequests });
    process.exit(0);
  };
  process.on("SIGTERM", () => void stop("SIGTERM"));
  process.on("SIGINT", () => void stop("SIGINT"));
}

try {
  const config = readConfig(process.env);
  start(config, createLog(config.log));
} catch (error) {
  createLog({ level: "error", format: "json" }).error("could not start", describeError(error));
  process.exit(1);
}
