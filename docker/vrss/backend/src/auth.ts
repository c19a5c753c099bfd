import { sign, verify } from "hono/jwt";
import type { Config } from "./config.ts";
import type { Queryable } from "./db.ts";
import { UUID } from "./posts.ts";

export type User = { id: string; username: string };
export type Registration = { username: string; email: string; password: string };

/** What is wrong with a registration, or the registration. */
export function parseRegistration(body: unknown): Registration | { problem: string } {
  const { username, email, password } = (typeof body === "object" && body !== null ? body : {}) as Record<
    string,
    unknown
  >;
  if (typeof username !== "string" || !/^[a-z0-9_]{3,30}$/.test(username))
    return { problem: "username must have 3 to 30 characters of a-z, 0-9 and _" };
  if (typeof email !== "string" || !/^[^@\s]+@[^@\s]+$/.test(email) || email.length > 254)
    return { problem: "email must be an address" };
  if (typeof password !== "string" || password.length < 12 || password.length > 200)
    return { problem: "password must have 12 to 200 characters" };
  return { username, email, password };
}

const hash = (password: string) => Bun.password.hash(password, { algorithm: "bcrypt", cost: 12 });

/** Null when the name or the address is taken. */
export async function register(
  db: Queryable,
  { username, email, password }: Registration,
): Promise<User | null> {
  const { rows } = await db.query<User>(
    `INSERT INTO users (username, email, password_hash, display_name) VALUES ($1, $2, $3, $1)
     ON CONFLICT DO NOTHING RETURNING id, username`,
    [username, email, await hash(password)],
  );
  return rows[0] ?? null;
}

// An unknown name takes as long to refuse as a wrong password.
let decoy: Promise<string> | undefined;

export async function authenticate(
  db: Queryable,
  username: unknown,
  password: unknown,
): Promise<User | null> {
  if (typeof username !== "string" || typeof password !== "string" || password.length > 200) return null;
  const { rows } = await db.query<User & { password_hash: string }>(
    "SELECT id, username, password_hash FROM users WHERE username = $1 AND deleted_at IS NULL",
    [username],
  );
  const found = rows[0];
  decoy ??= hash(crypto.randomUUID());
  const usable = found?.password_hash.startsWith("$2") ? found.password_hash : await decoy;
  const matches = await Bun.password.verify(password, usable);
  return matches && found && usable === found.password_hash
    ? { id: found.id, username: found.username }
    : null;
}

/** A session is a row, and the token its signed name: what is revoked or expired in the table is over. */
export async function openSession(
  db: Queryable,
  jwt: Config["jwt"],
  user: User,
  userAgent: string,
): Promise<string> {
  const { rows } = await db.query<{ id: string; exp: number }>(
    `INSERT INTO sessions (user_id, user_agent, expires_at) VALUES ($1, left($2, 400), now() + make_interval(secs => $3))
     RETURNING id, extract(epoch FROM expires_at)::float8 AS exp`,
    [user.id, userAgent, jwt.expiresInSeconds],
  );
  const session = rows[0];
  if (!session) throw new Error("the database returned no session");
  return sign({ jti: session.id, exp: Math.floor(session.exp) }, jwt.secret, "HS256");
}

async function sessionId(jwt: Config["jwt"], token: string): Promise<string | null> {
  const payload = await verify(token, jwt.secret, "HS256").catch(() => null);
  return typeof payload?.jti === "string" && UUID.test(payload.jti) ? payload.jti : null;
}

export async function sessionUser(db: Queryable, jwt: Config["jwt"], token: string): Promise<User | null> {
  const id = await sessionId(jwt, token);
  if (!id) return null;
  const { rows } = await db.query<User>(
    `SELECT u.id, u.username FROM sessions s JOIN users u ON u.id = s.user_id AND u.deleted_at IS NULL
     WHERE s.id = $1 AND s.revoked_at IS NULL AND s.expires_at > now()`,
    [id],
  );
  return rows[0] ?? null;
}

export async function closeSession(db: Queryable, jwt: Config["jwt"], token: string): Promise<void> {
  const id = await sessionId(jwt, token);
  if (id) await db.query("UPDATE sessions SET revoked_at = now() WHERE id = $1 AND revoked_at IS NULL", [id]);
}
