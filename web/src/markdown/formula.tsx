// A formula, drawn by KaTeX, which is loaded with the first one. KaTeX builds its nodes through the DOM; where it would
// set a style attribute, which the page's policy forbids, the same style is set through the CSSOM.

import { useLayoutEffect, useRef } from "preact/hooks";
import type { KatexNode, KatexRenderer } from "./katex.ts";
import { whenIdle } from "./queue.ts";

/** Longer ones, and those that KaTeX fails on, show their source. */
const MAX_LENGTH = 5000;

let renderer: KatexRenderer | undefined;
let loading: Promise<void> | undefined;

function load(): Promise<void> {
  loading ??= import("./katex.ts").then(
    (module) => {
      renderer = module.renderToTree;
    },
    () => {
      loading = undefined; // the next formula tries again
    },
  );
  return loading;
}

export function Formula({ tex, display, closed }: { tex: string; display: boolean; closed: boolean }) {
  const element = useRef<HTMLElement>(null);
  const drawable = closed && tex.length <= MAX_LENGTH;

  useLayoutEffect(() => {
    const place = element.current!;
    if (!place.hasChildNodes() || !drawable) place.textContent = tex;
    if (!drawable) return;
    let cancel = () => {};
    const draw = () => {
      if (renderer) cancel = whenIdle(() => renderer && drawInto(place, renderer, tex, display));
    };
    if (renderer) draw();
    else {
      let gone = false;
      cancel = () => {
        gone = true;
      };
      void load().then(() => gone || draw());
    }
    return () => cancel();
  }, [tex, display, drawable]);

  // The children are set above; there are none in the virtual tree.
  const name = `md-formula${display ? " md-display" : ""}${drawable ? "" : " md-source"}`;
  return <span ref={element} class={name} data-tex={tex} dir="ltr" tabIndex={display ? 0 : undefined} />;
}

function drawInto(place: HTMLElement, render: KatexRenderer, tex: string, display: boolean): void {
  try {
    const tree = render(tex, display);
    deferStyles(tree);
    const node = tree.toNode() as HTMLElement;
    place.replaceChildren(node);
    for (const styled of place.querySelectorAll<HTMLElement>("[data-style]")) {
      styled.style.cssText = styled.dataset["style"]!;
      styled.removeAttribute("data-style");
    }
    place.classList.remove("md-source");
  } catch {
    place.textContent = tex; // nested beyond what the browser's stack holds
    place.classList.add("md-source");
  }
}

/** Renames style attributes in KaTeX's tree, so that they are not set as attributes. */
function deferStyles(node: KatexNode): void {
  const { attributes } = node;
  if (attributes?.["style"] !== undefined) {
    attributes["data-style"] = attributes["style"];
    delete attributes["style"];
  }
  node.children?.forEach(deferStyles);
}
