export type Post = { id: string; author: string; content: string; hashtags: string[]; createdAt: string };
export type Page = { posts: Post[]; nextCursor: string | null };

/** What the API said no to, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function createApi(base: string, fetcher: typeof fetch = (...args) => fetch(...args)) {
  async function call<T>(path: string, body?: unknown): Promise<T> {
    const response = await fetcher(`${base}${path}`, {
      credentials: "include",
      ...(body === undefined
        ? {}
        : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) }),
    }).catch(() => {
      throw new ApiError(0, "the server cannot be reached");
    });
    if (response.status === 204) return undefined as T;
    const answer: unknown = await response.json().catch(() => null);
    if (!response.ok) {
      const message = (answer as { error?: unknown } | null)?.error;
      throw new ApiError(
        response.status,
        typeof message === "string" ? message : `the server said ${response.status}`,
      );
    }
    return answer as T;
  }

  return {
    posts: (cursor?: string) => call<Page>(`/posts${cursor ? `?cursor=${encodeURIComponent(cursor)}` : ""}`),
    post: (id: string) => call<Post>(`/posts/${encodeURIComponent(id)}`),
    createPost: (content: string) => call<Post>("/posts", { content }),
    me: () => call<{ username: string }>("/me"),
    login: (username: string, password: string) =>
      call<{ username: string }>("/auth/login", { username, password }),
    register: (username: string, email: string, password: string) =>
      call<{ username: string }>("/auth/register", { username, email, password }),
    logout: () => call<void>("/auth/logout", {}),
  };
}

export type Api = ReturnType<typeof createApi>;
