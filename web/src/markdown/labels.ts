// What the application gives to the rendering: translated words, and what a link does.

import { createContext } from "preact";

export interface MarkdownLabels {
  /** Buttons of a code block. */
  copy: string;
  copied: string;
  wrapLines: string;
  /** Names of regions for screen readers: "Code", "Table". */
  code: string;
  table: string;
  /** Shown with an image's address: "Image not shown". */
  imageNotShown: string;
  /** Boxes of a task list. */
  taskDone: string;
  taskOpen: string;
}

export const Labels = createContext<MarkdownLabels>({
  copy: "Copy",
  copied: "Copied",
  wrapLines: "Wrap lines",
  code: "Code",
  table: "Table",
  imageNotShown: "Image not shown",
  taskDone: "Done",
  taskOpen: "Not done",
});
