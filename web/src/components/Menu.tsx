// A button that opens a menu. By a popover: it lies above everything and goes with a click elsewhere or Escape. The
// keyboard works as in a menu of the system: arrows, Home, End, first letters.

import type { ComponentChildren, FunctionComponent } from "preact";
import { useId, useRef, useState } from "preact/hooks";
import { place } from "./popover.ts";

export interface MenuItem {
  label: string;
  icon?: FunctionComponent<{ size?: number }>;
  danger?: boolean;
  /** One of several, of which one is chosen. */
  checked?: boolean;
  /** On or off by itself. */
  switched?: boolean;
  disabled?: boolean;
  note?: string;
  run: () => void;
}

interface Props {
  label: string;
  class?: string;
  items: readonly (MenuItem | "line")[];
  /** What the button shows. */
  children: ComponentChildren;
  /** Where the label adds to what the button shows, rather than says it. */
  title?: string;
}

export function Menu({ label, class: extra = "icon-button", items, children, title = label }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const id = useId();
  const [open, setOpen] = useState(false);

  const toggled = (event: ToggleEvent) => {
    if (event.newState !== "open") return setOpen(false);
    place(popover.current!, button.current!);
    const all = itemsOf(popover.current!);
    (all.find((item) => item.getAttribute("aria-checked") === "true") ?? all[0])?.focus();
  };
  const close = () => {
    popover.current?.hidePopover();
    button.current?.focus();
  };

  return (
    <>
      <button
        ref={button}
        type="button"
        class={extra}
        aria-label={label}
        title={title}
        aria-haspopup="menu"
        aria-expanded={open}
        popoverTarget={id}
      >
        {children}
      </button>
      <div
        ref={popover}
        id={id}
        class="menu"
        popover="auto"
        role="menu"
        aria-label={label}
        onBeforeToggle={((event: ToggleEvent) => event.newState === "open" && setOpen(true)) as never}
        onToggle={toggled as never}
        onKeyDown={(event) => moveFocus(event, popover.current!)}
      >
        {open &&
          items.map((item, i) => (item === "line" ? <hr key={i} /> : <Item key={i} item={item} close={close} />))}
      </div>
    </>
  );
}

function Item({ item, close }: { item: MenuItem; close: () => void }) {
  const Icon = item.icon;
  const role =
    item.checked !== undefined ? "menuitemradio" : item.switched !== undefined ? "menuitemcheckbox" : "menuitem";
  const on = item.checked ?? item.switched;
  return (
    <button
      type="button"
      role={role}
      {...(on === undefined ? {} : { "aria-checked": on ? "true" : "false" })}
      class={`menu-item ${item.danger ? "danger" : ""}`}
      disabled={item.disabled}
      onClick={() => {
        close();
        item.run();
      }}
    >
      {Icon && <Icon size={18} />}
      <span class="menu-label">{item.label}</span>
      {item.note && <span class="menu-note">{item.note}</span>}
    </button>
  );
}

const itemsOf = (menu: HTMLElement) => [...menu.querySelectorAll<HTMLButtonElement>("button:not(:disabled)")];

function moveFocus(event: KeyboardEvent, menu: HTMLElement) {
  const items = itemsOf(menu);
  const at = items.indexOf(document.activeElement as HTMLButtonElement);
  let to: number;
  if (event.key === "ArrowDown") to = (at + 1) % items.length;
  else if (event.key === "ArrowUp") to = (at - 1 + items.length) % items.length;
  else if (event.key === "Home") to = 0;
  else if (event.key === "End") to = items.length - 1;
  else if (event.key === "Tab") return menu.hidePopover();
  else if (event.key.length === 1 && event.key !== " ") {
    const rest = [...items.slice(at + 1), ...items.slice(0, at + 1)];
    const found = rest.find((item) => item.textContent?.trim().toLowerCase().startsWith(event.key.toLowerCase()));
    if (!found) return;
    to = items.indexOf(found);
  } else return;
  event.preventDefault();
  items[to]?.focus();
}
