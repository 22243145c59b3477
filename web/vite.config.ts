import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { loadEnv } from "vite";
import { defineConfig } from "vitest/config";

// Where `flow` listens, for `npm run dev`.
const HERE = "http://127.0.0.1:8080";

export default defineConfig(({ mode }) => {
  const server = loadEnv(mode, ".", "FLOW_").FLOW_URL || HERE;
  // The server goes by its own name, and takes changes from its own pages only.
  const proxied = {
    target: server,
    changeOrigin: true,
    headers: { origin: new URL(server).origin },
  };
  return {
    plugins: [react(), tailwind()],
    server: {
      host: "127.0.0.1",
      proxy: { "/api": proxied, "/ui": proxied, "/auth": proxied, "/docs": proxied, "/openapi.json": proxied },
    },
    build: {
      manifest: true,
      // All of these know `light-dark()`, which app.css is written with.
      target: ["chrome123", "firefox120", "safari17.5"],
      // The content security policy allows no `data:`.
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
    },
    test: {
      environment: "happy-dom",
      include: ["src/**/*.test.{ts,tsx}"],
    },
  };
});
