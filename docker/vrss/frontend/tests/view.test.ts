import { describe, expect, test } from "vitest";
import { addPosts, postElement } from "../src/view.ts";

const post = (id: string, content = id) => ({
  id,
  author: "ada",
  content,
  hashtags: [],
  createdAt: "2025-10-16T09:00:00.123456Z",
});
const ids = (list: HTMLElement) => [...list.children].map((item) => (item as HTMLElement).dataset.id);

describe("the list", () => {
  test("shows what people wrote as text", () => {
    const item = postElement(post("1", "<img src=x onerror=alert(1)>"));
    expect(item.querySelector("img")).toBeNull();
    expect(item.querySelector("p")?.textContent).toBe("<img src=x onerror=alert(1)>");
    expect(item.querySelector("time")?.dateTime).toBe("2025-10-16T09:00:00.123456Z");
  });

  test("puts the newest on top, older ones below, and none twice", () => {
    const list = document.createElement("ol");
    addPosts(list, [post("3"), post("2")], "newest");
    addPosts(list, [post("2"), post("1")], "older");
    addPosts(list, [post("4"), post("3")], "newest");
    expect(ids(list)).toEqual(["4", "3", "2", "1"]);
  });
});
