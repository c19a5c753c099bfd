import { expect, test } from "bun:test";
import { RateLimiter } from "../src/rate-limit.ts";

test("a client has its number of requests in each window, and its own", () => {
  let now = 0;
  const limiter = new RateLimiter(10_000, 2, () => now);
  expect([limiter.take("a"), limiter.take("a"), limiter.take("a"), limiter.take("b")]).toEqual([
    null,
    null,
    10,
    null,
  ]);
  now = 9500;
  expect(limiter.take("a")).toBe(1);
  now = 10_000;
  expect(limiter.take("a")).toBeNull();
});
