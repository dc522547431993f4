// A modal dialog by <dialog>: the browser keeps the focus inside and gives it back at the end. Escape, the close button
// and a click beside it all call onClose.

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useId, useRef } from "preact/hooks";
import { t } from "../i18n/index.ts";
import { IconButton } from "./IconButton.tsx";
import { Close } from "./icons.tsx";

interface Props {
  title: string;
  /** `sheet` stands at the page's side, `top` hangs from above. */
  kind?: "box" | "sheet" | "top";
  /** The title is for those who listen; the content speaks for itself. */
  bare?: boolean;
  class?: string;
  onClose: () => void;
  children: ComponentChildren;
}

export function Dialog({ title, kind = "box", bare = false, class: extra = "", onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useLayoutEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={`dialog dialog-${kind} ${extra}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onMouseDown={(event) => event.target === dialog.current && onClose()}
    >
      <div class="dialog-content">
        <header class={bare ? "only-heard" : "dialog-header"}>
          <h2 id={titleId}>{title}</h2>
          {!bare && <IconButton icon={Close} label={t("action.close")} onClick={onClose} />}
        </header>
        {children}
      </div>
    </dialog>
  );
}
