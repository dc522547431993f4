// Where a popover goes.

/** Below what opened it, or above where there is no room; never beyond the window. */
export function place(popover: HTMLElement, button: HTMLElement) {
  const at = button.getBoundingClientRect();
  const { width, height } = popover.getBoundingClientRect();
  const gap = 4;
  const margin = 8;
  const below = at.bottom + gap + height <= innerHeight - margin;
  const top = below ? at.bottom + gap : Math.max(margin, at.top - gap - height);
  const left = at.left + width <= innerWidth - margin ? at.left : at.right - width;
  popover.style.top = `${top}px`;
  popover.style.left = `${Math.max(margin, left)}px`;
}
