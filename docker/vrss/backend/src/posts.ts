import type { Queryable } from "./db.ts";

export type Post = { id: string; author: string; content: string; hashtags: string[]; createdAt: string };
export type Cursor = { createdAt: string; id: string };
export type Page = { posts: Post[]; nextCursor: string | null };

export const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const MAX_CONTENT = 500;
const MAX_HASHTAGS = 30;

// The database counts microseconds and JavaScript does not: the time stays text, or a page would skip rows.
const COLUMNS = `p.id, u.username AS author, p.content, p.hashtags,
  to_char(p.created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS "createdAt"`;
const FROM =
  "FROM posts p JOIN users u ON u.id = p.user_id AND u.deleted_at IS NULL WHERE p.deleted_at IS NULL";

export function encodeCursor({ createdAt, id }: Cursor): string {
  return Buffer.from(`${createdAt} ${id}`).toString("base64url");
}

export function decodeCursor(text: string): Cursor | null {
  const [createdAt = "", id = "", rest] = Buffer.from(text, "base64url").toString().split(" ");
  return rest === undefined &&
    TIMESTAMP.test(createdAt) &&
    !Number.isNaN(Date.parse(createdAt)) &&
    UUID.test(id)
    ? { createdAt, id }
    : null;
}

/** The text of a new post, or what is wrong with it. */
export function parseContent(body: unknown): { content: string } | { problem: string } {
  const raw = typeof body === "object" && body !== null ? (body as { content?: unknown }).content : undefined;
  if (typeof raw !== "string") return { problem: "content must be a string" };
  const content = raw.trim();
  const length = [...content].length;
  if (length < 1 || length > MAX_CONTENT)
    return { problem: `content must have 1 to ${MAX_CONTENT} characters` };
  if (content.includes("\0")) return { problem: "content must not contain NUL" };
  return { content };
}

export function hashtagsOf(content: string): string[] {
  const tags = Array.from(content.matchAll(/#([\p{L}\p{N}_]{1,50})/gu), (match) =>
    (match[1] ?? "").toLowerCase(),
  );
  return [...new Set(tags)].slice(0, MAX_HASHTAGS);
}

/** Newest first. Keyset, not offset: a page costs the same wherever it is, and new posts shift nothing. */
export async function listPosts(
  db: Queryable,
  limit: number,
  after: Cursor | null,
  tag?: string,
): Promise<Page> {
  const { rows } = await db.query<Post>(
    `SELECT ${COLUMNS} ${FROM}
       AND ($1::timestamptz IS NULL OR (p.created_at, p.id) < ($1, $2::uuid))
       AND ($3::text IS NULL OR p.hashtags @> ARRAY[$3])
     ORDER BY p.created_at DESC, p.id DESC LIMIT $4`,
    [after?.createdAt ?? null, after?.id ?? null, tag?.toLowerCase() ?? null, limit + 1],
  );
  const posts = rows.slice(0, limit);
  const last = posts.at(-1);
  return { posts, nextCursor: rows.length > limit && last ? encodeCursor(last) : null };
}

export async function getPost(db: Queryable, id: string): Promise<Post | null> {
  const { rows } = await db.query<Post>(`SELECT ${COLUMNS} ${FROM} AND p.id = $1`, [id]);
  return rows[0] ?? null;
}

export async function createPost(db: Queryable, userId: string, content: string): Promise<Post> {
  const { rows } = await db.query<Post>(
    `WITH p AS (
       INSERT INTO posts (user_id, type, content, hashtags) VALUES ($1, 'text_short', $2, $3) RETURNING *
     ) SELECT ${COLUMNS} FROM p JOIN users u ON u.id = p.user_id`,
    [userId, content, hashtagsOf(content)],
  );
  const post = rows[0];
  if (!post) throw new Error("the database returned no post");
  return post;
}
