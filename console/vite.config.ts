import { defineConfig } from "vitest/config";

/** `npm run build` writes the page into the Python package, which serves it. */
export default defineConfig({
  base: "./",
  build: {
    outDir: "../src/zilzal/web/static/console",
    emptyOutDir: true,
    target: "es2022",
    // A data: URL would be refused by the page's Content-Security-Policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
  worker: { format: "es" },
  server: { proxy: { "/api": "http://127.0.0.1:8000" } },
  test: { include: ["test/**/*.test.ts"], environment: "node" },
});
