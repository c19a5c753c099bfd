import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { createApp } from "../src/app.js";
import { ConfigError, readConfig } from "../src/config.js";
import { createSessions } from "../src/sessions.js";
import { versionsOf } from "../scripts/migrate.js";

const ENV = {
  DATABASE_URL: "postgresql://nobody@localhost/none",
  REDIS_URL: "redis://localhost",
  JWT_ACCESS_SECRET: "a".repeat(32),
  JWT_REFRESH_SECRET: "r".repeat(32),
  RATE_LIMIT_MAX_REQUESTS: "3",
  ALLOWED_ORIGINS: "https://one.example, https://two.example",
};

/** As much of Redis as the application uses. */
function memory() {
  const values = new Map();
  return {
    ping: async () => "PONG",
    get: async (key) => values.get(key) ?? null,
    set: async (key, value) => values.set(key, value),
    del: async (key) => values.delete(key),
    multi() {
      let count;
      const chain = {
        incr: (key) => {
          count = (values.get(key) ?? 0) + 1;
          values.set(key, count);
          return chain;
        },
        pExpire: () => chain,
        exec: async () => [count, true],
      };
      return chain;
    },
  };
}

const quiet = { log() {}, warn() {}, error() {} };
const db = { down: false, query: async () => (db.down ? Promise.reject(new Error("gone")) : { rows: [] }) };
let server;
let base;

before(async () => {
  const app = createApp({ config: readConfig(ENV), db, cache: memory(), log: quiet });
  await new Promise((resolve) => {
    server = app.listen(0, "127.0.0.1", resolve);
  });
  base = `http://127.0.0.1:${server.address().port}`;
});
after(() => server.close());

test("says everything that is wrong with the environment at once", () => {
  const wrong = { ...ENV, JWT_ACCESS_SECRET: "k3Vt0Zq9", REDIS_URL: "", BCRYPT_ROUNDS: "many", JWT_ACCESS_EXPIRES_IN: "1y" };
  assert.throws(() => readConfig(wrong), (error) => {
    assert.ok(error instanceof ConfigError);
    for (const text of ["JWT_ACCESS_SECRET is shorter than 32", "REDIS_URL is not set", "BCRYPT_ROUNDS", "_EXPIRES_IN"])
      assert.ok(error.message.includes(text), error.message);
    assert.ok(!error.message.includes(wrong.JWT_ACCESS_SECRET));
    return true;
  });
  assert.throws(() => readConfig({ ...ENV, JWT_REFRESH_SECRET: ENV.JWT_ACCESS_SECRET }), /must differ/);
  assert.throws(() => readConfig({ ...ENV, NODE_ENV: "production" }), /OPENAI_API_KEY is not set/);
});

test("is unhealthy without its database, and says which part it is", async () => {
  assert.equal((await fetch(`${base}/health`)).status, 200);
  db.down = true;
  const answer = await fetch(`${base}/api/scan/health`);
  db.down = false;
  assert.equal(answer.status, 503);
  const { database, redis, recognition } = await answer.json();
  assert.deepEqual([database, redis, recognition], ["down", "up", "not configured"]);
});

test("counts requests, but for health checks", async () => {
  const statuses = [];
  for (let n = 0; n < 4; n++) statuses.push((await fetch(`${base}/api/items`)).status);
  assert.deepEqual(statuses, [200, 200, 200, 429]);
  assert.equal((await fetch(`${base}/api/scan/health`)).status, 200);
});

test("answers only the origins that it knows", async () => {
  const origin = async (name) =>
    (await fetch(`${base}/health`, { headers: { origin: name } })).headers.get("access-control-allow-origin");
  assert.equal(await origin("https://two.example"), "https://two.example");
  assert.equal(await origin("https://three.example"), null);
});

test("a session that was ended is over for both of its tokens", async () => {
  const sessions = createSessions(memory(), readConfig(ENV).jwt);
  const { accessToken, refreshToken } = await sessions.open("ada");
  const { id, user } = await sessions.find(accessToken);
  assert.equal(user, "ada");
  assert.equal(await sessions.find(refreshToken), null, "each token has its own key");
  assert.ok((await sessions.refresh(refreshToken)).accessToken);
  await sessions.close(id);
  assert.equal(await sessions.find(accessToken), null);
  assert.equal(await sessions.refresh(refreshToken), null);
});

test("a migration has a way down", () => {
  const files = ["002_b.up.sql", "001_a.up.sql", "001_a.down.sql", "002_b.down.sql", "README"];
  assert.deepEqual(versionsOf(files), ["001_a", "002_b"]);
  assert.throws(() => versionsOf(["001_a.up.sql"]), /no way down from 001_a/);
});
