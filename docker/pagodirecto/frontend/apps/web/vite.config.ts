import { defineConfig } from "vite";

export default defineConfig({
  // A folder is mounted for hot replacement: a mounted file goes stale when an editor replaces it.
  root: "src",
  cacheDir: "/tmp/vite",
  build: { outDir: "../dist", emptyOutDir: true, assetsInlineLimit: 0 },
  server: {
    host: "0.0.0.0",
    port: 3000,
    strictPort: true,
    allowedHosts: ["frontend"],
    proxy: { "^/api/": { target: process.env.API_PROXY_TARGET ?? "http://localhost:8080" } },
  },
  plugins: [
    {
      name: "health",
      configureServer: (server) => {
        server.middlewares.use("/health", (_request, response) => response.end("healthy\n"));
      },
    },
  ],
});
