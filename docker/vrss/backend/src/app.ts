import { access, constants } from "node:fs/promises";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { cors } from "hono/cors";
import { HTTPException } from "hono/http-exception";
import {
  authenticate,
  closeSession,
  openSession,
  parseRegistration,
  register,
  sessionUser,
  type User,
} from "./auth.ts";
import type { Config } from "./config.ts";
import type { Queryable } from "./db.ts";
import { describeError, type Log } from "./log.ts";
import { createPost, decodeCursor, getPost, listPosts, parseContent, UUID } from "./posts.ts";
import { RateLimiter } from "./rate-limit.ts";

type Env = { Variables: { requestId: string } };
export type Deps = { config: Config; db: Queryable; log: Log; clientOf: (request: Request) => string };

const SESSION = "vrss_session";

const problem = (c: Context, status: 400 | 401 | 404 | 409 | 413 | 429 | 500 | 503, message: string) =>
  c.json({ error: message }, status);

export function createApp({ config, db, log, clientOf }: Deps): Hono<Env> {
  const app = new Hono<Env>();
  const limiter = new RateLimiter(config.rateLimit.windowMs, config.rateLimit.max);

  app.use(async (c, next) => {
    const started = performance.now();
    const requestId = (config.trustProxy && c.req.header("x-request-id")) || crypto.randomUUID();
    c.set("requestId", requestId);
    c.header("X-Request-Id", requestId);
    await next();
    // A health check every few seconds would bury everything else.
    const level = c.req.path === "/health" && c.res.ok ? "debug" : "info";
    log[level]("request", {
      requestId,
      method: c.req.method,
      path: c.req.path,
      status: c.res.status,
      ms: Math.round(performance.now() - started),
    });
  });

  app.get("/health", async (c) => {
    const [database, storage] = await Promise.all([
      databaseAnswers(db, log),
      storageIsWritable(config.storage, log),
    ]);
    const healthy = database && storage;
    const state = (ok: boolean) => (ok ? "up" : "down");
    c.header("Cache-Control", "no-store");
    return c.json(
      { status: healthy ? "ok" : "unavailable", database: state(database), storage: state(storage) },
      healthy ? 200 : 503,
    );
  });

  const api = new Hono<Env>();
  api.use(
    cors({ origin: config.corsOrigins, credentials: true, allowMethods: ["GET", "POST"], maxAge: 600 }),
  );
  api.use(bodyLimit({ maxSize: 64 * 1024, onError: (c) => problem(c, 413, "the body is too large") }));
  api.use(async (c, next) => {
    await next();
    c.header("Cache-Control", "no-store");
  });
  api.use(limitWrites(limiter, clientOf));

  const currentUser = async (c: Context): Promise<User | null> => {
    const token = getCookie(c, SESSION);
    return token ? sessionUser(db, config.jwt, token) : null;
  };
  const startSession = async (c: Context, user: User) => {
    const token = await openSession(db, config.jwt, user, c.req.header("user-agent") ?? "");
    setCookie(c, SESSION, token, {
      httpOnly: true,
      sameSite: "Strict",
      secure: config.production,
      path: "/api",
      maxAge: config.jwt.expiresInSeconds,
    });
    return c.json({ username: user.username }, 201);
  };

  api.post("/auth/register", async (c) => {
    const registration = parseRegistration(await readJson(c));
    if ("problem" in registration) return problem(c, 400, registration.problem);
    const user = await register(db, registration);
    return user ? startSession(c, user) : problem(c, 409, "the username or the address is taken");
  });
  api.post("/auth/login", async (c) => {
    const body = (await readJson(c)) as { username?: unknown; password?: unknown } | null;
    const user = await authenticate(db, body?.username, body?.password);
    return user ? startSession(c, user) : problem(c, 401, "wrong username or password");
  });
  api.post("/auth/logout", async (c) => {
    const token = getCookie(c, SESSION);
    if (token) await closeSession(db, config.jwt, token);
    deleteCookie(c, SESSION, { path: "/api" });
    return c.body(null, 204);
  });
  api.get("/me", async (c) => {
    const user = await currentUser(c);
    return user ? c.json({ username: user.username }) : problem(c, 401, "not logged in");
  });

  api.get("/posts", async (c) => {
    const { limit: rawLimit = "20", cursor: rawCursor, tag } = c.req.query();
    const limit = /^\d{1,3}$/.test(rawLimit) ? Number(rawLimit) : 0;
    if (limit < 1 || limit > 100) return problem(c, 400, "limit must be a whole number from 1 to 100");
    const cursor = rawCursor ? decodeCursor(rawCursor) : null;
    if (rawCursor && !cursor) return problem(c, 400, "cursor is not one that this API gave");
    if (tag?.includes("\0")) return problem(c, 400, "tag must not contain NUL");
    return c.json(await listPosts(db, limit, cursor, tag));
  });
  api.get("/posts/:id", async (c) => {
    const id = c.req.param("id");
    const post = UUID.test(id) ? await getPost(db, id) : null;
    return post ? c.json(post) : problem(c, 404, "no such post");
  });
  api.post("/posts", async (c) => {
    const user = await currentUser(c);
    if (!user) return problem(c, 401, "not logged in");
    const parsed = parseContent(await readJson(c));
    if ("problem" in parsed) return problem(c, 400, parsed.problem);
    const post = await createPost(db, user.id, parsed.content);
    c.header("Location", `/api/posts/${post.id}`);
    return c.json(post, 201);
  });

  app.route("/api", api);
  app.notFound((c) => problem(c, 404, "no such path"));
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse();
    log.error("request failed", { requestId: c.get("requestId"), path: c.req.path, ...describeError(error) });
    return problem(c, 500, "something went wrong here");
  });
  return app;
}

async function readJson(c: Context): Promise<unknown> {
  // Only JSON: a form of another site cannot send it without asking first.
  if (!c.req.header("content-type")?.startsWith("application/json")) return null;
  return c.req.json().catch(() => null);
}

function limitWrites(limiter: RateLimiter, clientOf: Deps["clientOf"]): MiddlewareHandler {
  return async (c, next) => {
    const wait = c.req.method === "POST" ? limiter.take(clientOf(c.req.raw)) : null;
    if (wait === null) return next();
    c.header("Retry-After", String(wait));
    return problem(c, 429, "too many requests");
  };
}

async function databaseAnswers(db: Queryable, log: Log): Promise<boolean> {
  try {
    const answer = db.query("SELECT 1");
    answer.catch(() => {});
    await Promise.race([
      answer,
      new Promise((_, reject) => setTimeout(() => reject(new Error("no answer within 2 s")), 2000).unref()),
    ]);
    return true;
  } catch (error) {
    log.warn("the database does not answer", describeError(error));
    return false;
  }
}

async function storageIsWritable(storage: Config["storage"], log: Log): Promise<boolean> {
  if (storage.type !== "local") return true;
  try {
    await access(storage.path, constants.W_OK);
    return true;
  } catch (error) {
    log.warn("the media storage is not writable", describeError(error));
    return false;
  }
}
