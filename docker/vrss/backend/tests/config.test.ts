import { describe, expect, test } from "bun:test";
import { readConfig } from "../src/config.ts";
import { ENV } from "./helpers.ts";

describe("the configuration", () => {
  test("has the documented defaults", () => {
    const config = readConfig(ENV);
    expect(config.port).toBe(3000);
    expect(config.db).toMatchObject({ port: 5432, poolMin: 2, poolMax: 10, tls: false });
    expect(config.jwt.expiresInSeconds).toBe(7 * 86_400);
    expect(config.rateLimit).toEqual({ windowMs: 900_000, max: 100 });
    expect(config.log).toEqual({ level: "info", format: "json" });
  });

  test("names everything that is wrong at once, and no value", () => {
    const read = () =>
      readConfig({ ...ENV, DB_HOST: "", JWT_SECRET: "hunter2", DB_POOL_MIN: "20", PORT: "99999" });
    expect(read).toThrow(/DB_HOST is not set.*/);
    expect(read).toThrow(/JWT_SECRET is shorter/);
    expect(read).toThrow(/DB_POOL_MIN is above DB_POOL_MAX/);
    expect(read).toThrow(/PORT is not/);
    expect(read).not.toThrow(/hunter2/);
  });

  test("wants the bucket and its keys when media goes to S3", () => {
    expect(() => readConfig({ ...ENV, STORAGE_TYPE: "s3", S3_BUCKET: "media" })).toThrow(
      /S3_ACCESS_KEY.*S3_SECRET_KEY/,
    );
    const s3 = { STORAGE_TYPE: "s3", S3_BUCKET: "media", S3_ACCESS_KEY: "a", S3_SECRET_KEY: "b" };
    expect(readConfig({ ...ENV, ...s3 }).storage).toEqual({ type: "s3", bucket: "media" });
  });

  test.each(["1x", "d", "-1h", "0s"])("refuses %p as a duration", (value) => {
    expect(() => readConfig({ ...ENV, JWT_EXPIRES_IN: value })).toThrow(/JWT_EXPIRES_IN/);
  });
});
