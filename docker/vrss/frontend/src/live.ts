const FIRST_RETRY_MS = 1000;
const LAST_RETRY_MS = 30_000;

/** Calls `onPost` with the id of each new post, and keeps trying while the server is away. */
export function followPosts(url: string, onPost: (id: string) => void, onReconnect: () => void): void {
  let retry = FIRST_RETRY_MS;
  let before = false;
  const connect = () => {
    const socket = new WebSocket(url);
    socket.onopen = () => {
      retry = FIRST_RETRY_MS;
      if (before) onReconnect();
      before = true;
    };
    socket.onmessage = ({ data }) => {
      const id = createdId(data);
      if (id) onPost(id);
    };
    socket.onclose = () => {
      setTimeout(connect, retry);
      retry = Math.min(retry * 2, LAST_RETRY_MS);
    };
  };
  connect();
}

export function createdId(data: unknown): string | null {
  try {
    const { created } = JSON.parse(String(data)) as { created?: unknown };
    return typeof created === "string" ? created : null;
  } catch {
    return null;
  }
}
