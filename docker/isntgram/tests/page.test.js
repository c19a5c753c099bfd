import assert from "node:assert/strict";
import { test } from "node:test";
import { page } from "../web/page.js";

test("what people write is text, never markup", () => {
  const html = page([{ username: "a", url: 'https://x/"onload=', caption: "<script>" }], (name) => name);
  assert.ok(html.includes("&lt;script&gt;") && html.includes("&quot;onload="));
  assert.ok(!html.includes("<script>"));
});
