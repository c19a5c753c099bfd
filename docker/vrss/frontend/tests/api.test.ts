import { describe, expect, test, vi } from "vitest";
import { ApiError, createApi } from "../src/api.ts";

const answering = (status: number, body: unknown) =>
  vi.fn<typeof fetch>(async () => new Response(body === undefined ? null : JSON.stringify(body), { status }));

describe("the API's client", () => {
  test("asks for a page by its cursor, escaped", async () => {
    const fetcher = answering(200, { posts: [], nextCursor: null });
    await createApi("/api", fetcher).posts("a+b/c=");
    expect(fetcher.mock.calls[0]?.[0]).toBe("/api/posts?cursor=a%2Bb%2Fc%3D");
  });

  test("sends JSON, with the session's cookie", async () => {
    const fetcher = answering(201, {});
    await createApi("/api", fetcher).createPost("hello");
    expect(fetcher.mock.calls[0]?.[1]).toEqual({
      credentials: "include",
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"content":"hello"}',
    });
  });

  test("repeats the server's own words on a no", async () => {
    const api = createApi("/api", answering(400, { error: "content must be a string" }));
    await expect(api.createPost("")).rejects.toThrow(new ApiError(400, "content must be a string"));
  });

  test("says so when the answer is no JSON, or there is none", async () => {
    const html = vi.fn<typeof fetch>(async () => new Response("<h1>502</h1>", { status: 502 }));
    await expect(createApi("/api", html).posts()).rejects.toThrow("the server said 502");
    const dead = vi.fn<typeof fetch>(() => Promise.reject(new TypeError("fetch failed")));
    await expect(createApi("/api", dead).posts()).rejects.toThrow("the server cannot be reached");
  });

  test("takes an empty answer as it is", async () => {
    await expect(createApi("/api", answering(204, undefined)).logout()).resolves.toBeUndefined();
  });
});
