import { defineConfig } from "vite";

export default defineConfig({
  // Everything that is mounted for hot reload is a folder: a mounted file goes stale when an editor replaces it.
  root: "src",
  publicDir: "../public",
  cacheDir: "/tmp/vite",
  build: { outDir: "../dist", emptyOutDir: true, assetsInlineLimit: 0 },
  esbuild: { jsx: "automatic" },
  optimizeDeps: { include: ["react", "react/jsx-runtime", "react/jsx-dev-runtime", "react-dom/client"] },
  server: {
    host: "0.0.0.0",
    port: 3000,
    strictPort: true,
    // The names by which the stack's other containers ask.
    allowedHosts: ["frontend", "nginx"],
    fs: { allow: [".."] },
    proxy: { "^/api/": { target: process.env.API_PROXY_TARGET ?? "http://localhost:8000" } },
  },
});
