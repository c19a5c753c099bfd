/**
 * Who is logged in. A session is a key in Redis; the short-lived access token and the refresh token name it, so that
 * ending it ends both at once, on every instance.
 */
import { randomUUID } from "node:crypto";
import jwt from "jsonwebtoken";

const key = (id) => `session:${id}`;

export function createSessions(cache, config) {
  const { accessSecret, refreshSecret, accessExpiresIn, refreshExpiresIn } = config;
  const access = (id, user) =>
    jwt.sign({ sub: user, sid: id }, accessSecret, { algorithm: "HS256", expiresIn: accessExpiresIn });
  const read = (token, secret) => {
    try {
      return jwt.verify(token, secret, { algorithms: ["HS256"] });
    } catch {
      return null;
    }
  };

  return {
    async open(user) {
      const id = randomUUID();
      const refreshToken = jwt.sign({ sub: user, sid: id }, refreshSecret, {
        algorithm: "HS256",
        expiresIn: refreshExpiresIn,
      });
      const { exp, iat } = jwt.decode(refreshToken);
      await cache.set(key(id), user, { EX: exp - iat });
      return { accessToken: access(id, user), refreshToken };
    },

    /** A fresh access token, as long as the session is there. */
    async refresh(token) {
      const claims = read(token, refreshSecret);
      if (!claims || (await cache.get(key(claims.sid))) !== claims.sub) return null;
      return { accessToken: access(claims.sid, claims.sub) };
    },

    /** The session and the user of an access token. */
    async find(token) {
      const claims = read(token, accessSecret);
      if (!claims || (await cache.get(key(claims.sid))) !== claims.sub) return null;
      return { id: claims.sid, user: claims.sub };
    },

    close: (id) => cache.del(key(id)),
  };
}
