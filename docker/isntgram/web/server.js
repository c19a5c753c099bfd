/** The pages. They read the database themselves; what writes is the API. */
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { isUp, pool } from "../shared/db.js";
import { json, Refusal, serve } from "../shared/http.js";
import { logger } from "../shared/log.js";
import { page } from "./page.js";

const log = logger("web");
const db = pool("web", log);
const assets = new URL("./assets/", import.meta.url);
const TYPES = { ".css": "text/css; charset=utf-8" };

// The build names an asset by its content: `style.3f2a9c01.css`. In development it is `style.css`.
const names = await readdir(assets);
const built = (name) => names.find((known) => known.replace(/\.[0-9a-f]{8}\./, ".") === name) ?? name;
const FOREVER = "public, max-age=31536000, immutable";

const routes = {
  async "GET /health"(_request, response) {
    const up = await isUp(db, log);
    json(response, up ? 200 : 503, { status: up ? "ok" : "failing", database: up ? "up" : "down" });
  },

  async "GET /"(_request, response) {
    const { rows } = await db.query(
      "SELECT u.username, p.url, p.caption FROM photos p JOIN users u ON u.id = p.user_id " +
        "ORDER BY p.created_at DESC, p.id LIMIT 20",
    );
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-cache" });
    response.end(page(rows, built));
  },
};

async function fallback(request, response) {
  const name = /^\/assets\/([\w.-]+)$/.exec(request.url)?.[1];
  if (request.method !== "GET" || !name || !names.includes(name)) throw new Refusal(404, "not found");
  const lasting = /\.[0-9a-f]{8}\./.test(name);
  response.writeHead(200, {
    "content-type": TYPES[extname(name)] ?? "application/octet-stream",
    "cache-control": lasting ? FOREVER : "no-cache",
  });
  response.end(await readFile(new URL(name, assets)));
}

serve({ port: Number(process.env.PORT ?? 3000), routes, fallback, log, close: () => db.end() });
