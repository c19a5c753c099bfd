import { describe, expect, test } from "bun:test";
import { decodeCursor, encodeCursor, hashtagsOf, parseContent } from "../src/posts.ts";

describe("the text of a post", () => {
  test("is trimmed, and counted in characters rather than UTF-16 units", () => {
    expect(parseContent({ content: "  hello " })).toEqual({ content: "hello" });
    expect(parseContent({ content: "🦝".repeat(500) })).toEqual({ content: "🦝".repeat(500) });
  });

  test.each([
    [null],
    [{}],
    [{ content: 7 }],
    [{ content: "   " }],
    [{ content: "x".repeat(501) }],
    [{ content: "a\0b" }],
  ])("refuses %p", (body) => {
    expect(parseContent(body)).toHaveProperty("problem");
  });

  test("gives its hashtags once each, in lower case", () => {
    expect(hashtagsOf("#Rust and #rust, #Überraschung! not# this")).toEqual(["rust", "überraschung"]);
    expect(hashtagsOf(Array.from({ length: 40 }, (_, n) => `#t${n}`).join(" "))).toHaveLength(30);
  });
});

describe("a cursor", () => {
  const cursor = { createdAt: "2025-10-16T09:00:00.123456Z", id: "00000000-0000-4000-8000-000000000201" };

  test("comes back as it went, microseconds included", () => {
    expect(decodeCursor(encodeCursor(cursor))).toEqual(cursor);
  });

  test.each([
    "",
    "nonsense",
    Buffer.from("2025-99-16T09:00:00.123456Z x").toString("base64url"),
    `${encodeCursor(cursor)}AAAA`,
  ])("is refused when it is %p", (text) => {
    expect(decodeCursor(text)).toBeNull();
  });
});
