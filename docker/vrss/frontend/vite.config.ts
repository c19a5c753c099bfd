import { defineConfig } from "vitest/config";

process.env.VITE_APP_NAME ||= "VRSS";

export default defineConfig({
  // Everything that is mounted for hot reload is a folder: a mounted file goes stale when an editor replaces it.
  root: "src",
  publicDir: "../public",
  envDir: "..",
  cacheDir: "../node_modules/.vite",
  build: { outDir: "../dist", emptyOutDir: true, assetsInlineLimit: 0 },
  server: {
    host: "0.0.0.0",
    port: 5173,
    strictPort: true,
    // The names by which the stack's other containers ask.
    allowedHosts: ["frontend", "nginx"],
    fs: { allow: [".."] },
    proxy: {
      "/api": { target: process.env.API_PROXY_TARGET ?? "http://localhost:3000", ws: true },
    },
  },
  test: {
    dir: "tests",
    environment: "happy-dom",
    coverage: { include: ["**/*.ts"], exclude: ["main.ts"], reportsDirectory: "/tmp/coverage" },
  },
});
