/**
 * Against the real database where there is one (in the stack there is): everything happens in a transaction that
 * is rolled back, so nobody's data changes.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import pg from "pg";
import { authenticate, closeSession, openSession, register, sessionUser, type User } from "../src/auth.ts";
import { readConfig } from "../src/config.ts";
import { createPost, decodeCursor, getPost, listPosts } from "../src/posts.ts";

describe.skipIf(!process.env.DB_HOST)("the database", () => {
  const { db, jwt } = process.env.DB_HOST ? readConfig(process.env) : ({} as ReturnType<typeof readConfig>);
  let client: pg.Client;
  let user: User;
  const name = `test_${crypto.randomUUID().slice(0, 8)}`;

  beforeAll(async () => {
    client = new pg.Client({ ...db, database: db.name, ssl: db.tls });
    await client.connect();
  });
  afterAll(() => client.end());
  beforeEach(async () => {
    await client.query("BEGIN");
    const registered = await register(client, {
      username: name,
      email: `${name}@example.test`,
      password: "correct horse",
    });
    if (!registered) throw new Error("the test's name is taken");
    user = registered;
  });
  afterEach(() => client.query("ROLLBACK"));

  test("keeps a post as it was written", async () => {
    const content = "O'Reilly; DROP TABLE posts --\n#Ünïcode 🦝";
    const created = await createPost(client, user.id, content);
    expect(created).toMatchObject({ author: name, content, hashtags: ["ünïcode"] });
    expect(await getPost(client, created.id)).toEqual(created);
  });

  test("pages through posts of one moment, each once", async () => {
    // now() stands still in a transaction: all of these share their time, and the id decides.
    const written = new Set<string>();
    for (let n = 0; n < 7; n++) written.add((await createPost(client, user.id, `#${name} ${n}`)).id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await listPosts(client, 3, cursor ? decodeCursor(cursor) : null, name);
      seen.push(...page.posts.map((post) => post.id));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toHaveLength(7);
    expect(new Set(seen)).toEqual(written);
  });

  test("does not show what was deleted", async () => {
    const { id } = await createPost(client, user.id, "gone soon");
    await client.query("UPDATE posts SET deleted_at = now() WHERE id = $1", [id]);
    expect(await getPost(client, id)).toBeNull();
  });

  test("opens, knows and closes a session", async () => {
    expect(await authenticate(client, name, "wrong horse")).toBeNull();
    expect(await authenticate(client, name, "correct horse")).toEqual(user);
    const token = await openSession(client, jwt, user, "test");
    expect(await sessionUser(client, jwt, token)).toEqual(user);
    expect(await sessionUser(client, { ...jwt, secret: `${jwt.secret}x` }, token)).toBeNull();
    await closeSession(client, jwt, token);
    expect(await sessionUser(client, jwt, token)).toBeNull();
  });

  test("refuses a second account of the same name", async () => {
    expect(
      await register(client, { username: name, email: "other@example.test", password: "correct horse" }),
    ).toBeNull();
  });
});
