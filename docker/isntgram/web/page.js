/** The page, as HTML. */
const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

export const escape = (text) => String(text).replace(/[&<>"']/g, (sign) => ESCAPES[sign]);

export function page(photos, asset) {
  const figures = photos.map(
    ({ username, url, caption }) =>
      `<figure><img src="${escape(url)}" alt="" loading="lazy"><figcaption><b>${escape(username)}</b> ${escape(caption)}</figcaption></figure>`,
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Isntgram</title>
<link rel="stylesheet" href="/assets/${asset("style.css")}">
</head>
<body>
<h1>Isntgram</h1>
<main>${figures.join("\n") || "<p>No photos yet.</p>"}</main>
</body>
</html>
`;
}
