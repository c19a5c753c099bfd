import assert from "node:assert/strict";
import { test } from "node:test";
import { settings } from "../shared/db.js";
import { logger } from "../shared/log.js";

test("the URL decides about TLS", () => {
  const read = (path) => `content of ${path}`;
  const verified = settings("postgres://u:p@db.example/x?sslmode=verify-full&sslrootcert=certs/ca.pem", read);
  assert.deepEqual(verified, {
    connectionString: "postgres://u:p@db.example/x",
    ssl: { rejectUnauthorized: true, host: "db.example", ca: "content of certs/ca.pem" },
  });
  assert.equal(settings("postgres://u:p@db/x").ssl, false);
  assert.equal(settings("postgres://u:p@db/x?sslmode=verify-full&sslrootcert=system").ssl.ca, undefined);
  assert.equal(settings("postgres://u:p@db/x?sslmode=require").ssl.rejectUnauthorized, false);
});

test("a log line is one JSON object", () => {
  const lines = [];
  const log = logger("api", "info", (line) => lines.push(line));
  log.debug("not shown");
  log.warn("two\nlines", { n: 1 });
  assert.equal(lines.length, 1);
  const { time, ...rest } = JSON.parse(lines[0]);
  assert.ok(Date.parse(time) > 0);
  assert.deepEqual(rest, { level: "warn", service: "api", message: "two\nlines", n: 1 });
});
