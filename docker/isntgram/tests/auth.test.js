import assert from "node:assert/strict";
import { test } from "node:test";
import { hash, matches, token, verify } from "../api/auth.js";

const SECRET = "s".repeat(32);

test("a token is its user's until it ends, and nobody else's", () => {
  const made = token("7", SECRET, 1000);
  assert.equal(verify(made, SECRET, 1001), "7");
  assert.equal(verify(made, SECRET, 1000 + 24 * 60 * 60), null);
  assert.equal(verify(made, "t".repeat(32), 1001), null);
  assert.equal(verify(`${made}x`, SECRET, 1001), null);
  assert.equal(verify("nothing", SECRET), null);
});

test("a password matches its own hash only", async () => {
  const stored = await hash("long enough to pass");
  assert.equal(await matches("long enough to pass", stored), true);
  assert.equal(await matches("another long password", stored), false);
  assert.equal(await matches("", "!"), false);
});
