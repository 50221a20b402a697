import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Relative addresses: the page works under any --static-prefix.
  base: "./",
  plugins: [react()],
  build: {
    outDir: "../src/stele/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // Sizes are measured by the benchmarks, on the wire.
    reportCompressedSize: false,
  },
  server: {
    proxy: {
      "/api": process.env.STELE ?? "http://127.0.0.1:5000",
      "/get-artifact": process.env.STELE ?? "http://127.0.0.1:5000",
    },
  },
  test: { environment: "happy-dom", include: ["src/**/*.test.{ts,tsx}"] },
});
