// A model's Markdown on the page, also while it streams. README.md tells how it works.

export { Markdown, type MarkdownProps } from "./markdown.tsx";
export type { MarkdownLabels } from "./labels.ts";
