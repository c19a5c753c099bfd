import type { Post } from "./api.ts";

/** One post as an element. Text is set as text: what people wrote is never read as markup. */
export function postElement(post: Post): HTMLLIElement {
  const item = document.createElement("li");
  item.dataset.id = post.id;
  const author = document.createElement("strong");
  author.textContent = post.author;
  const time = document.createElement("time");
  time.dateTime = post.createdAt;
  time.textContent = new Date(post.createdAt).toLocaleString();
  const content = document.createElement("p");
  content.textContent = post.content;
  item.append(author, " · ", time, content);
  return item;
}

const shown = (list: HTMLElement, id: string) =>
  [...list.children].some((item) => (item as HTMLElement).dataset.id === id);

/** A post can arrive twice, as the answer to its writer and over the live channel; it is shown once. */
export function addPosts(list: HTMLElement, posts: Post[], where: "newest" | "older"): void {
  const items = posts.filter((post) => !shown(list, post.id)).map(postElement);
  if (where === "newest") list.prepend(...items);
  else list.append(...items);
}
