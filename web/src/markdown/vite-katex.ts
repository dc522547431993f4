// A Vite plugin: KaTeX's style sheet with its woff2 fonts only, the format that every browser we support reads.

import type { Plugin } from "vite";

export function katexFonts(): Plugin {
  return {
    name: "katex-fonts",
    enforce: "pre",
    transform(code, id) {
      if (!/katex(?:\.min)?\.css/.test(id)) return undefined;
      return {
        code: code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'](?:woff|truetype)["']\)/g, ""),
        map: null,
      };
    },
  };
}
