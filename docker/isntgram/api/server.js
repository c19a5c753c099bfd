/** The JSON API: users, sessions, photos. */
import { isUp, pool } from "../shared/db.js";
import { body, json, Refusal, serve } from "../shared/http.js";
import { logger } from "../shared/log.js";
import { hash, matches, token, verify } from "./auth.js";

const log = logger("api");
const db = pool("api", log);
const secret = process.env.JWT_SECRET ?? "";
if (secret.length < 32) throw new Error("JWT_SECRET must have at least 32 characters");

const UNIQUE = "23505";

async function credentials(request) {
  const { username, password } = await body(request);
  if (!/^[a-z0-9_]{3,30}$/.test(username ?? "")) throw new Refusal(400, "a username has 3 to 30 of a-z, 0-9 and _");
  if (typeof password !== "string" || password.length < 12) {
    throw new Refusal(400, "a password has at least 12 characters");
  }
  return { username, password };
}

function whoever(request) {
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? "");
  const user = given && verify(given[1], secret);
  if (!user) throw new Refusal(401, "log in first");
  return user;
}

const routes = {
  async "GET /health"(_request, response) {
    const up = await isUp(db, log);
    json(response, up ? 200 : 503, { status: up ? "ok" : "failing", database: up ? "up" : "down" });
  },

  async "POST /api/auth/register"(request, response) {
    const { username, password } = await credentials(request);
    try {
      const { rows } = await db.query("INSERT INTO users (username, password_hash) VALUES ($1, $2) RETURNING id", [
        username,
        await hash(password),
      ]);
      json(response, 201, { token: token(rows[0].id, secret) });
    } catch (error) {
      throw error.code === UNIQUE ? new Refusal(409, "that username is taken") : error;
    }
  },

  async "POST /api/auth/login"(request, response) {
    const { username, password } = await credentials(request);
    const { rows } = await db.query("SELECT id, password_hash FROM users WHERE username = $1", [username]);
    if (!rows[0] || !(await matches(password, rows[0].password_hash))) {
      throw new Refusal(401, "wrong username or password");
    }
    json(response, 200, { token: token(rows[0].id, secret) });
  },

  async "GET /api/photos"(_request, response) {
    const { rows } = await db.query(
      "SELECT p.id, u.username, p.url, p.caption, p.created_at FROM photos p JOIN users u ON u.id = p.user_id " +
        "ORDER BY p.created_at DESC, p.id LIMIT 50",
    );
    json(response, 200, { photos: rows });
  },

  async "POST /api/photos"(request, response) {
    const user = whoever(request);
    const { url, caption = "" } = await body(request);
    if (!URL.canParse(url) || new URL(url).protocol !== "https:") throw new Refusal(400, "a photo has an https URL");
    const { rows } = await db.query(
      "INSERT INTO photos (user_id, url, caption) VALUES ($1, $2, $3) RETURNING id, url, caption",
      [user, url, String(caption).slice(0, 500)],
    );
    json(response, 201, rows[0]);
  },
};

serve({ port: Number(process.env.PORT ?? 3001), routes, log, close: () => db.end() });
