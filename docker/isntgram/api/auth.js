/** Passwords (scrypt) and session tokens (JWT, HS256). */
import { createHmac, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";

const derive = promisify(scrypt);
const LIFETIME = 24 * 60 * 60;

export async function hash(password) {
  const salt = randomBytes(16);
  const key = await derive(password, salt, 32);
  return `${salt.toString("base64url")}.${key.toString("base64url")}`;
}

export async function matches(password, stored) {
  const [salt, key] = stored.split(".").map((part) => Buffer.from(part, "base64url"));
  // Whoever was seeded has no password.
  if (!salt?.length || key?.length !== 32) return false;
  return timingSafeEqual(await derive(password, salt, 32), key);
}

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const sign = (text, secret) => createHmac("sha256", secret).update(text).digest("base64url");

export function token(user, secret, now = Date.now() / 1000) {
  const text = `${encode({ alg: "HS256", typ: "JWT" })}.${encode({ sub: user, exp: Math.floor(now) + LIFETIME })}`;
  return `${text}.${sign(text, secret)}`;
}

/** Whose token it is; null for one that is not ours or no longer good. */
export function verify(text, secret, now = Date.now() / 1000) {
  const parts = text.split(".");
  if (parts.length !== 3) return null;
  const given = Buffer.from(parts[2]);
  const expected = Buffer.from(sign(`${parts[0]}.${parts[1]}`, secret));
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
  const { sub, exp } = JSON.parse(Buffer.from(parts[1], "base64url").toString("utf8"));
  return exp > now ? sub : null;
}
