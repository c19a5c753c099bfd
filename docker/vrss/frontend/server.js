// Serves dist/ with Node.js alone, for places without nginx (the image's stage production-node).
import { createServer } from "node:http";
import sirv from "sirv";

const HEADERS = {
  "X-Frame-Options": "SAMEORIGIN",
  "X-Content-Type-Options": "nosniff",
  "X-XSS-Protection": "1; mode=block",
  "Referrer-Policy": "strict-origin-when-cross-origin",
  "Content-Security-Policy":
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'",
};

const serve = sirv("dist", {
  single: true,
  etag: true,
  setHeaders(response, path) {
    const immutable = path.startsWith("/assets/");
    response.setHeader("Cache-Control", immutable ? "public, max-age=31536000, immutable" : "no-cache");
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
  },
});

const server = createServer((request, response) => {
  serve(request, response, () => response.writeHead(404).end("not found\n"));
});
server.listen(Number(process.env.PORT ?? 8080), "0.0.0.0");

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}
