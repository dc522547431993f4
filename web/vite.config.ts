// The build that `ingle` embeds: fixed names and no source maps, so that a change of the source is a small change of
// web/dist; nothing as a data: address, which the page's security policy forbids.

import { defineConfig } from "vite";
import { katexFonts } from "./src/markdown/vite-katex.ts";

export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [katexFonts()],
  build: {
    target: "es2023",
    assetsInlineLimit: 0,
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        entryFileNames: "app.js",
        chunkFileNames: "[name].js",
        assetFileNames: ({ names }) => {
          const name = names[0] ?? "";
          if (/\.woff2?$|\.ttf$/.test(name)) return "fonts/[name][extname]";
          return name === "index.css" || name === "style.css" ? "app.css" : "[name][extname]";
        },
      },
    },
  },
});
