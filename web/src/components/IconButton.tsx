// A button with an icon alone. The label is what it is called, and its tooltip.

import type { FunctionComponent, JSX } from "preact";

type Props = {
  icon: FunctionComponent<{ size?: number }>;
  label: string;
  size?: number;
  class?: string;
} & Omit<JSX.IntrinsicElements["button"], "icon" | "label" | "size" | "class" | "children">;

export function IconButton({ icon: Icon, label, size, class: extra = "", ...rest }: Props) {
  return (
    <button type="button" class={`icon-button ${extra}`} aria-label={label} title={label} {...rest}>
      <Icon {...(size ? { size } : {})} />
    </button>
  );
}
