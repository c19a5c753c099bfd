import { describe, expect, test } from "bun:test";
import { createApp } from "../src/app.ts";
import type { Queryable } from "../src/db.ts";
import { config, fakeDb, silent } from "./helpers.ts";

const app = (db: Queryable = fakeDb(), extra: Record<string, string> = {}) =>
  createApp({ config: config(extra), db, log: silent, clientOf: () => "192.0.2.1" });

const json = (body: unknown, headers: Record<string, string> = {}) => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

describe("/health", () => {
  test("is 200 while the database answers", async () => {
    const response = await app().request("/health");
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ status: "ok", database: "up", storage: "up" });
  });

  test("is 503 when the database refuses", async () => {
    const response = await app(fakeDb([[/SELECT 1/, new Error("gone")]])).request("/health");
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: "unavailable", database: "down", storage: "up" });
  });

  test("is 503 when the database hangs, after two seconds", async () => {
    const hanging = { query: () => new Promise(() => {}) } as unknown as Queryable;
    const started = performance.now();
    expect((await app(hanging).request("/health")).status).toBe(503);
    expect(performance.now() - started).toBeLessThan(2900);
  });

  test("is 503 when the media folder is not there", async () => {
    const response = await app(fakeDb(), { STORAGE_LOCAL_PATH: "/nowhere" }).request("/health");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ storage: "down" });
  });
});

describe("posts", () => {
  const post = {
    id: "00000000-0000-4000-8000-000000000201",
    author: "ada",
    content: "hello",
    hashtags: [],
    createdAt: "2025-10-16T09:00:00.000000Z",
  };

  test("are listed with a cursor to the next page, and values travel as parameters", async () => {
    const db = fakeDb([[/FROM posts/, [post, { ...post, content: "one more" }]]]);
    const response = await app(db).request("/api/posts?limit=1&tag=x'%20OR%201");
    expect(response.status).toBe(200);
    const page = (await response.json()) as { posts: unknown[]; nextCursor: string };
    expect(page.posts).toEqual([post]);
    expect(page.nextCursor).toBeString();
    expect(db.asked[0]?.sql).not.toContain("OR 1");
    expect(db.asked[0]?.values).toEqual([null, null, "x' or 1", 2]);
    expect(response.headers.get("cache-control")).toBe("no-store");
  });

  test.each(["limit=0", "limit=101", "limit=x", "cursor=nonsense", "tag=%00"])(
    "refuse ?%s",
    async (query) => {
      expect((await app().request(`/api/posts?${query}`)).status).toBe(400);
    },
  );

  test("are 404 for an unknown id and for what is no id, without asking the database", async () => {
    const db = fakeDb();
    expect((await app(db).request("/api/posts/nonsense")).status).toBe(404);
    expect(db.asked).toEqual([]);
    expect((await app(db).request(`/api/posts/${post.id}`)).status).toBe(404);
  });

  test("want a session to be written", async () => {
    expect((await app().request("/api/posts", json({ content: "hello" }))).status).toBe(401);
    const forged = { cookie: "vrss_session=eyJhbGciOiJub25lIn0.eyJqdGkiOiIxIn0." };
    expect((await app().request("/api/posts", json({ content: "hello" }, forged))).status).toBe(401);
  });
});

describe("sessions", () => {
  const db = () =>
    fakeDb([
      [/INSERT INTO users/, [{ id: "00000000-0000-4000-8000-000000000001", username: "ada" }]],
      [/INSERT INTO sessions/, [{ id: "00000000-0000-4000-8000-000000000009", exp: Date.now() / 1000 + 60 }]],
      [/FROM sessions/, [{ id: "00000000-0000-4000-8000-000000000001", username: "ada" }]],
    ]);
  const registration = { username: "ada", email: "ada@example.test", password: "correct horse battery" };

  test("begin with a registration, in a cookie that scripts cannot read", async () => {
    const service = app(db(), { NODE_ENV: "production" });
    const response = await service.request("/api/auth/register", json(registration));
    expect(response.status).toBe(201);
    const cookie = response.headers.get("set-cookie") ?? "";
    for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/api"])
      expect(cookie).toContain(attribute);
    const me = await service.request("/api/me", { headers: { cookie: cookie.split(";")[0] ?? "" } });
    expect(await me.json()).toEqual({ username: "ada" });
  });

  test("refuse a taken name, a short password, and a body that is no JSON", async () => {
    expect((await app().request("/api/auth/register", json(registration))).status).toBe(409);
    expect(
      (await app().request("/api/auth/register", json({ ...registration, password: "short" }))).status,
    ).toBe(400);
    const form = { method: "POST", body: new URLSearchParams(registration) };
    expect((await app().request("/api/auth/register", form)).status).toBe(400);
  });

  test("refuse an unknown name and one without a usable password alike", async () => {
    const locked = fakeDb([[/password_hash FROM users/, [{ id: "1", username: "ada", password_hash: "!" }]]]);
    for (const database of [fakeDb(), locked]) {
      const response = await app(database).request(
        "/api/auth/login",
        json({ username: "ada", password: "!" }),
      );
      expect(response.status).toBe(401);
    }
  });
});

describe("the API", () => {
  test("limits writes per client, and not reads", async () => {
    const service = app(fakeDb(), { RATE_LIMIT_MAX_REQUESTS: "2" });
    const statuses = [];
    for (let n = 0; n < 3; n++)
      statuses.push((await service.request("/api/auth/logout", { method: "POST" })).status);
    expect(statuses).toEqual([204, 204, 429]);
    expect((await service.request("/api/posts")).status).toBe(200);
  });

  test("answers only the origins it was told", async () => {
    const ask = (origin: string) => app().request("/api/posts", { headers: { origin } });
    expect((await ask("http://localhost:5173")).headers.get("access-control-allow-origin")).toBe(
      "http://localhost:5173",
    );
    expect((await ask("http://evil.test")).headers.get("access-control-allow-origin")).toBeNull();
  });

  test("tells nothing of its insides when it fails", async () => {
    const response = await app(fakeDb([[/FROM posts/, new Error("relation posts of vrss_user")]])).request(
      "/api/posts",
    );
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("vrss_user");
  });

  test("takes a request's id from the proxy only where there is one", async () => {
    const ask = async (trust: string) =>
      (
        await app(fakeDb(), { TRUST_PROXY: trust }).request("/health", {
          headers: { "x-request-id": "given" },
        })
      ).headers.get("x-request-id");
    expect(await ask("true")).toBe("given");
    expect(await ask("false")).not.toBe("given");
  });

  test("refuses a large body", async () => {
    expect((await app().request("/api/posts", json({ content: "x".repeat(70_000) }))).status).toBe(413);
  });
});
