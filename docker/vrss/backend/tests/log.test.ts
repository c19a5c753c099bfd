import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendRotating, createLog, describeError } from "../src/log.ts";

describe("the log file", () => {
  const dir = mkdtempSync(join(tmpdir(), "log-"));
  afterAll(() => rmSync(dir, { recursive: true }));

  test("turns over when full and keeps three", () => {
    const file = join(dir, "backend.log");
    for (const line of ["one\n", "two\n", "three\n", "four\n"]) appendRotating(file, line, 5);
    expect([file, `${file}.1`, `${file}.2`].map((name) => readFileSync(name, "utf8"))).toEqual([
      "four\n",
      "three\n",
      "two\n",
    ]);
    expect(() => readFileSync(`${file}.3`)).toThrow();
  });

  test("is JSON, a line each, from its level up", () => {
    const file = join(dir, "levels.log");
    const log = createLog({ level: "warn", format: "json", file }, () => new Date(0));
    log.info("quiet");
    log.warn("heard\nwhole", { n: 1 });
    const entry = { time: "1970-01-01T00:00:00.000Z", level: "warn", message: "heard\nwhole", n: 1 };
    expect(readFileSync(file, "utf8")).toBe(`${JSON.stringify(entry)}\n`);
  });

  test("never fails the caller", () => {
    expect(() => appendRotating("/nowhere/at/all.log", "x")).not.toThrow();
  });
});

test("an error is described without its stack", () => {
  expect(describeError(Object.assign(new Error("refused"), { code: "ECONNREFUSED" }))).toEqual({
    error: "refused",
    code: "ECONNREFUSED",
  });
});
