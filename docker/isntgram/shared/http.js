/** A server of a few routes: each request is logged, what fails is an answer, and SIGTERM ends it in order. */
import { createServer } from "node:http";

const LARGEST_BODY = 64 * 1024;

/** An answer other than 200. */
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function body(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) throw new Refusal(413, "too large");
    chunks.push(chunk);
  }
  try {
    const value = JSON.parse(Buffer.concat(chunks).toString("utf8"));
    if (value !== null && typeof value === "object") return value;
  } catch {
    // Said below.
  }
  throw new Refusal(400, "the body is no JSON object");
}

export function json(response, status, value) {
  const text = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" });
  response.end(text);
}

/** `routes` maps `GET /path` to a handler of (request, response); `fallback` gets the rest. */
export function serve({ port, routes, fallback, log, close }) {
  const server = createServer(async (request, response) => {
    const began = performance.now();
    response.on("finish", () => {
      const fields = { method: request.method, path: request.url, status: response.statusCode };
      // Health checks come twice a minute and say nothing.
      const level = request.url === "/health" ? "debug" : "info";
      log[level]("request", { ...fields, ms: Math.round(performance.now() - began) });
    });
    try {
      const { pathname } = new URL(request.url, "http://localhost");
      const handler = routes[`${request.method} ${pathname}`] ?? fallback;
      if (!handler) throw new Refusal(404, "not found");
      await handler(request, response);
    } catch (error) {
      if (!(error instanceof Refusal)) log.error("request failed", { path: request.url, error: error.message });
      if (response.headersSent) response.destroy();
      else json(response, error.status ?? 500, { error: error.status ? error.message : "internal error" });
    }
  });
  server.listen(port, () => log.info("listening", { port }));
  for (const signal of ["SIGTERM", "SIGINT"]) {
    process.once(signal, () => {
      log.info("stopping", { signal });
      server.close(() => close().finally(() => process.exit(0)));
      server.closeIdleConnections();
    });
  }
  return server;
}
