import { createHash, randomUUID } from "node:crypto";
import { hostname } from "node:os";
import bcrypt from "bcryptjs";
import express from "express";
import { rateLimit } from "./rate-limit.js";
import { createSessions } from "./sessions.js";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const MEDIA_TYPES = ["image/jpeg", "image/png", "image/webp"];

export function createApp({ config, db, cache, log }) {
  const app = express();
  const sessions = createSessions(cache, config.jwt);
  app.disable("x-powered-by");
  // nginx replaces X-Forwarded-For by the address that it sees; nobody else of the private networks sends any.
  app.set("trust proxy", "uniquelocal");
  app.use(logRequests(log));
  app.use(allowOrigins(config.allowedOrigins));

  app.get("/health", async (_request, response) => {
    const state = await look(db, cache, log);
    response.status(state.status === "ok" ? 200 : 503).json({ ...state, instance: hostname() });
  });
  // What scanning needs beside the database: keys of others, which are not tried here.
  app.get("/api/scan/health", async (_request, response) => {
    const state = await look(db, cache, log);
    const configured = (...values) => (values.every(Boolean) ? "configured" : "not configured");
    response.status(state.status === "ok" ? 200 : 503).json({
      ...state,
      recognition: configured(config.openaiApiKey),
      storage: configured(config.s3.accessKeyId, config.s3.secretAccessKey, config.s3.bucket),
    });
  });

  const api = express.Router();
  api.use(rateLimit(cache, config.rateLimit, log));
  const json = express.json({ limit: "64kb" });
  const member = async (request, response, next) => {
    const token = /^Bearer (.+)$/.exec(request.get("authorization") ?? "")?.[1];
    const session = token ? await sessions.find(token) : null;
    if (!session) return response.status(401).json({ error: "not logged in" });
    request.session = session;
    next();
  };

  api.post("/auth/register", json, wrap(async (request, response) => {
    const { email, password } = request.body ?? {};
    if (typeof email !== "string" || !/^[^@\s]{1,64}@[^@\s]{1,189}$/.test(email))
      return response.status(400).json({ error: "email must be an address" });
    // bcrypt reads no more than 72 bytes.
    if (typeof password !== "string" || password.length < 10 || Buffer.byteLength(password) > 72)
      return response.status(400).json({ error: "password must have 10 characters or more, and 72 bytes at most" });
    const hash = await bcrypt.hash(password, config.bcryptRounds);
    const { rows } = await db.query(
      "INSERT INTO users (email, password_hash) VALUES (lower($1), $2) ON CONFLICT DO NOTHING RETURNING id",
      [email, hash],
    );
    if (rows.length === 0) return response.status(409).json({ error: "the address is taken" });
    response.status(201).json(await sessions.open(rows[0].id));
  }));
  api.post("/auth/login", json, wrap(async (request, response) => {
    const { email, password } = request.body ?? {};
    const { rows } = await db.query("SELECT id, password_hash FROM users WHERE email = lower($1)", [String(email)]);
    const right = rows.length > 0 && (await bcrypt.compare(String(password), rows[0].password_hash));
    if (!right) return response.status(401).json({ error: "wrong address or password" });
    response.json(await sessions.open(rows[0].id));
  }));
  api.post("/auth/refresh", json, wrap(async (request, response) => {
    const fresh = await sessions.refresh(String(request.body?.refreshToken));
    if (!fresh) return response.status(401).json({ error: "not logged in" });
    response.json(fresh);
  }));
  api.post("/auth/logout", wrap(member), wrap(async (request, response) => {
    await sessions.close(request.session.id);
    response.status(204).end();
  }));

  api.get("/items", wrap(async (_request, response) => {
    const { rows } = await db.query(
      'SELECT id, name, category, price_cents AS "priceCents", created_at AS "createdAt" FROM items ' +
        "ORDER BY created_at DESC, id LIMIT 50",
    );
    response.json({ items: rows });
  }));
  api.post("/items", json, wrap(member), wrap(async (request, response) => {
    const { name, category = "other", priceCents } = request.body ?? {};
    const valid =
      typeof name === "string" && name.trim() && name.length <= 200 && typeof category === "string" &&
      category.length <= 50 && Number.isInteger(priceCents) && priceCents >= 0 && priceCents <= 100_000_000;
    if (!valid) return response.status(400).json({ error: "an item has a name and a price in whole cents" });
    const { rows } = await db.query(
      "INSERT INTO items (user_id, name, category, price_cents) VALUES ($1, $2, $3, $4) " +
        'RETURNING id, name, category, price_cents AS "priceCents", created_at AS "createdAt"',
      [request.session.user, name.trim(), category, priceCents],
    );
    response.status(201).json(rows[0]);
  }));

  // A picture is noted with its digest, and waits for whoever recognises things.
  const picture = express.raw({ type: MEDIA_TYPES, limit: config.maxFileBytes });
  api.post("/scan", wrap(member), picture, wrap(async (request, response) => {
    if (!Buffer.isBuffer(request.body) || request.body.length === 0)
      return response.status(415).json({ error: `a picture is one of ${MEDIA_TYPES.join(", ")}` });
    const { rows } = await db.query(
      "INSERT INTO scans (user_id, media_type, bytes, sha256) VALUES ($1, $2, $3, $4) RETURNING id, status, bytes",
      [
        request.session.user,
        request.get("content-type").split(";")[0],
        request.body.length,
        createHash("sha256").update(request.body).digest(),
      ],
    );
    response.status(202).location(`/api/scan/${rows[0].id}`).json(rows[0]);
  }));
  api.get("/scan/:id", wrap(member), wrap(async (request, response) => {
    const { id } = request.params;
    const { rows } = UUID.test(id)
      ? await db.query("SELECT id, status, bytes FROM scans WHERE id = $1 AND user_id = $2", [id, request.session.user])
      : { rows: [] };
    if (rows.length === 0) return response.status(404).json({ error: "no such scan" });
    response.json(rows[0]);
  }));

  app.use("/api", api);
  app.use((_request, response) => response.status(404).json({ error: "no such path" }));
  app.use((error, request, response, _next) => {
    const status = error.status >= 400 && error.status < 500 ? error.status : 500;
    if (status === 500) log.error("request failed", { id: request.id, error: error.message });
    response.status(status).json({ error: status === 500 ? "something went wrong here" : error.message });
  });
  return app;
}

const wrap = (handler) => (request, response, next) => handler(request, response, next).catch(next);

/** A health check every few seconds would bury everything else. */
function logRequests(log) {
  return (request, response, next) => {
    const began = performance.now();
    request.id = request.get("x-request-id") ?? randomUUID();
    response.set({ "X-Request-Id": request.id, "Cache-Control": "no-store" });
    response.on("finish", () => {
      const level = request.path.endsWith("/health") && response.statusCode < 400 ? "debug" : "info";
      const { method, originalUrl: path } = request;
      log.log(level, "request", {
        id: request.id, method, path, status: response.statusCode, ms: Math.round(performance.now() - began),
      });
    });
    next();
  };
}

function allowOrigins(allowed) {
  return (request, response, next) => {
    const origin = request.get("origin");
    response.vary("Origin");
    if (origin && allowed.includes(origin)) {
      response.set({
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Headers": "authorization, content-type",
        "Access-Control-Allow-Methods": "GET, POST",
      });
      if (request.method === "OPTIONS") return response.status(204).end();
    }
    next();
  };
}

/** Both stores, asked at once, each given two seconds. */
async function look(db, cache, log) {
  const answers = async (name, question) => {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error("no answer within 2 s")), 2000);
    });
    try {
      await Promise.race([question(), late]);
      return "up";
    } catch (error) {
      log.warn(`${name} does not answer`, { error: error.message });
      return "down";
    } finally {
      clearTimeout(timer);
    }
  };
  const [database, redis] = await Promise.all([
    answers("the database", () => db.query("SELECT 1")),
    answers("redis", () => cache.ping()),
  ]);
  return { status: database === "up" && redis === "up" ? "ok" : "unavailable", database, redis };
}
