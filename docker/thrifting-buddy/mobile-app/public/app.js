// The API is on the page's own host, whichever that is: no setting is needed.
const api = new URL("/api/", location.href);
const state = document.getElementById("state");
try {
  const answer = await fetch(new URL("items", api));
  if (!answer.ok) throw new Error(`the server said ${answer.status}`);
  const { items } = await answer.json();
  const entries = items.map(({ name, priceCents }) => {
    const entry = document.createElement("li");
    entry.textContent = `${name}: ${(priceCents / 100).toFixed(2)}`;
    return entry;
  });
  document.getElementById("items").replaceChildren(...entries);
  state.textContent = `${items.length} finds`;
} catch (error) {
  state.textContent = error.message;
}
