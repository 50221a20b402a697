import react from "@vitejs/plugin-react";
import type { HtmlTagDescriptor, Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Lets the browser fetch what draws every page beside the first script, not after it. */
const besideTheFirst = (name: string): Plugin => ({
  name: "beside-the-first",
  transformIndexHtml: {
    order: "post",
    handler(_html, { bundle = {} }) {
      const chunks = Object.values(bundle).filter((file) => file.type === "chunk");
      const app = chunks.find((chunk) => chunk.name === name);
      const link = (rel: string, file: string): HtmlTagDescriptor => ({
        tag: "link",
        attrs: { rel, crossorigin: true, href: `./${file}` },
        injectTo: "head",
      });
      const shared = chunks.filter((chunk) => !chunk.isEntry && app?.imports.includes(chunk.fileName));
      const scripts = [...(app ? [app] : []), ...shared].map(({ fileName }) => link("modulepreload", fileName));
      return [...scripts, ...[...(app?.viteMetadata?.importedCss ?? [])].map((file) => link("stylesheet", file))];
    },
  },
});

export default defineConfig({
  // Relative addresses: the page works under any --static-prefix.
  base: "./",
  plugins: [react(), besideTheFirst("app")],
  build: {
    outDir: "../src/stele/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [
            // What asks ahead, and beside it what draws every page, each in one file.
            { name: "first", tags: ["$initial"], priority: 2 },
            { name: "app", test: /[\\/]src[\\/]app\.tsx$/, priority: 1 },
          ],
        },
      },
    },
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
