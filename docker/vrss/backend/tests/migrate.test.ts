import { expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { lockKey, parseNames } from "../scripts/migrate.ts";

test("migrations are ordered by their number, and other files are none", () => {
  const files = ["20251016090000_b.up.sql", "9_a_c.up.sql", "9_a_c.down.sql", "README.md", "x_y.up.sql"];
  expect(parseNames(files)).toEqual([
    { version: "9", description: "a c", file: "9_a_c.up.sql" },
    { version: "20251016090000", description: "b", file: "20251016090000_b.up.sql" },
  ]);
});

test("the lock is the one that sqlx takes", () => {
  expect(lockKey("vrss")).toBe(0x3d32ad9en * BigInt(Bun.hash.crc32("vrss")));
  expect(lockKey("x".repeat(63))).toBeLessThan(2n ** 63n);
});

test("each migration has its way back", () => {
  const files = readdirSync(join(import.meta.dir, "..", "migrations"));
  for (const file of files.filter((name) => name.endsWith(".up.sql"))) {
    expect(files).toContain(file.replace(".up.sql", ".down.sql"));
  }
});
