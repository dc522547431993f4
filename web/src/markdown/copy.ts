// Copying: a button's text, and a selection of a rendered text as plain text that reads like what was selected.

/** Copies the text; true if it worked. Falls back to a hidden field where the clipboard interface is missing. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    field.setAttribute("aria-hidden", "true");
    field.className = "md-copy-field";
    document.body.append(field);
    const focused = document.activeElement as HTMLElement | null;
    field.select();
    const worked = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return worked;
  }
}

/** Puts the selection into the clipboard without the page's buttons and with formulas as TeX. */
export function onCopy(event: ClipboardEvent): void {
  const selection = document.getSelection();
  if (!selection?.rangeCount || !event.clipboardData) return;
  const range = selection.getRangeAt(0);
  const root = event.currentTarget as HTMLElement;
  const around = range.commonAncestorContainer;
  const inside = around instanceof Element ? around : around.parentElement;
  if (!root.contains(around) || !inside || inside.closest(".md-formula")) return;
  const copy = document.createElement("div");
  copy.append(range.cloneContents());
  copy.querySelectorAll(".md-code-head").forEach((head) => head.remove());
  copy.querySelectorAll(".md-image-src").forEach((address) => address.prepend(" "));
  for (const formula of copy.querySelectorAll<HTMLElement>(".md-formula")) formula.textContent = texOf(formula);
  event.clipboardData.setData("text/plain", inside.closest("pre") ? copy.textContent : blockText(copy));
  event.clipboardData.setData("text/html", copy.innerHTML);
  event.preventDefault();
}

function texOf(formula: HTMLElement): string {
  const marker = formula.classList.contains("md-display") ? "$$" : "$";
  return marker + (formula.dataset["tex"] ?? "") + marker;
}

const BLOCKS = new Set([
  "P",
  "H3",
  "H4",
  "H5",
  "H6",
  "PRE",
  "BLOCKQUOTE",
  "UL",
  "OL",
  "TABLE",
  "DIV",
  "HR",
  "TR",
  "LI",
  "TBODY",
  "THEAD",
]);

/** The text of a node's children: blocks apart by an empty line, rows and tight items by none. */
function blockText(parent: Node): string {
  let result = "";
  let line = "";
  const add = (block: string, gap: string) => {
    if (line.trim()) result += (result && "\n\n") + line.trim().replace(/\n /g, "\n");
    line = "";
    if (block) result += (result && gap) + block;
  };
  parent.childNodes.forEach((node) => {
    if (node.nodeType === Node.TEXT_NODE) line += node.nodeValue!.replace(/\s+/g, " ");
    else if (!(node instanceof HTMLElement)) return;
    else if (!BLOCKS.has(node.tagName)) line += inlineText(node);
    else add(elementText(node), isClose(node) ? "\n" : "\n\n");
  });
  add("", "");
  return result;
}

/** Whether no empty line belongs before the block. */
function isClose(node: HTMLElement): boolean {
  if (node.tagName === "LI") return node.parentElement?.classList.contains("md-tight") ?? true;
  if (node.tagName === "UL" || node.tagName === "OL")
    return node.parentElement?.tagName === "LI" && isClose(node.parentElement);
  return /^(?:TR|TBODY|THEAD)$/.test(node.tagName);
}

function elementText(node: HTMLElement): string {
  switch (node.tagName) {
    case "PRE":
      return node.textContent;
    case "HR":
      return "---";
    case "TR":
      return Array.from(node.children, (cell) => inlineText(cell).trim()).join("\t");
    case "BLOCKQUOTE":
      return blockText(node).replace(/^/gm, "> ");
    case "LI": {
      const marker = itemMarker(node);
      return marker + blockText(node).replace(/\n(?=[^\n])/g, `\n${" ".repeat(marker.length)}`);
    }
    default:
      return blockText(node);
  }
}

function itemMarker(item: HTMLElement): string {
  const box = item.querySelector<HTMLInputElement>(":scope > input");
  const task = box ? (box.checked ? "[x] " : "[ ] ") : "";
  return (item.dataset["number"] ? `${item.dataset["number"]}. ` : "- ") + task;
}

function inlineText(node: Node): string {
  if (node.nodeType === Node.TEXT_NODE) return node.nodeValue!.replace(/\s+/g, " ");
  if (!(node instanceof HTMLElement)) return "";
  if (node.tagName === "BR") return "\n";
  if (node.classList.contains("md-formula")) return node.textContent;
  return Array.from(node.childNodes, inlineText).join("");
}
