import { ApiError, createApi } from "./api.ts";
import { followPosts } from "./live.ts";
import { addPosts } from "./view.ts";

const element = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const base = new URL(import.meta.env.VITE_API_URL || "/api", location.href);
const api = createApi(base.href);

const posts = element("posts");
const notice = element("notice");
const more = element<HTMLButtonElement>("more");
const session = element<HTMLFormElement>("session");
const compose = element<HTMLFormElement>("compose");
let nextCursor: string | null = null;

async function attempt(work: () => Promise<void>): Promise<void> {
  notice.textContent = "";
  try {
    await work();
  } catch (error) {
    notice.textContent = error instanceof ApiError ? error.message : "something went wrong";
  }
}

function show(username: string | null): void {
  element("who").textContent = username ?? "";
  session.hidden = username !== null;
  compose.hidden = username === null;
}

async function loadPage(cursor?: string): Promise<void> {
  const page = await api.posts(cursor);
  addPosts(posts, page.posts, cursor ? "older" : "newest");
  if (cursor || nextCursor === null) nextCursor = page.nextCursor;
  more.hidden = nextCursor === null;
}

session.addEventListener("submit", (event) => {
  event.preventDefault();
  const action = (event.submitter as HTMLButtonElement | null)?.value;
  const form = new FormData(session);
  const field = (name: string) => String(form.get(name) ?? "");
  attempt(async () => {
    const { username } =
      action === "register"
        ? await api.register(field("username"), field("email"), field("password"))
        : await api.login(field("username"), field("password"));
    session.reset();
    show(username);
  });
});

compose.addEventListener("submit", (event) => {
  event.preventDefault();
  const content = String(new FormData(compose).get("content") ?? "");
  attempt(async () => {
    addPosts(posts, [await api.createPost(content)], "newest");
    compose.reset();
  });
});

element("logout").addEventListener("click", () =>
  attempt(async () => {
    await api.logout();
    show(null);
  }),
);
more.addEventListener("click", () => nextCursor && attempt(() => loadPage(nextCursor ?? undefined)));

api.me().then(
  ({ username }) => show(username),
  () => show(null),
);
attempt(() => loadPage());

const socketUrl = new URL(`${base.pathname}/ws`, base);
socketUrl.protocol = base.protocol === "https:" ? "wss:" : "ws:";
followPosts(
  socketUrl.href,
  (id) => attempt(async () => addPosts(posts, [await api.post(id)], "newest")),
  () => attempt(() => loadPage()),
);

if (import.meta.env.PROD && import.meta.env.VITE_PWA_ENABLED !== "false" && "serviceWorker" in navigator) {
  navigator.serviceWorker.register("/sw.js");
}
