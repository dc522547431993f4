// The icons: strokes on a grid of 24. They say nothing by themselves; the control that bears one has a label.

import type { ComponentChildren } from "preact";

function icon(...children: ComponentChildren[]) {
  return ({ size = 20 }: { size?: number }) => (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {children}
    </svg>
  );
}

export const ArrowDown = icon(<path d="M12 5v14M6 13l6 6 6-6" />);
export const ArrowUp = icon(<path d="M12 19V5M6 11l6-6 6 6" />);
export const Bubble = icon(
  <path d="M4 11.5c0-3.600 3.600-6.5 8-6.5s8 2.900 8 6.5-3.600 6.5-8 6.5c-.9 0-1.800-.1-2.600-.4L5 19.5l1-3.300c-1.200-1.200-2-2.900-2-4.700z" />,
);
export const Check = icon(<path d="M5 12.5l4.5 4.5L19 7.5" />);
export const ChevronDown = icon(<path d="M7 10l5 5 5-5" />);
export const ChevronLeft = icon(<path d="M14 7l-5 5 5 5" />);
export const ChevronRight = icon(<path d="M10 7l5 5-5 5" />);
export const Close = icon(<path d="M6 6l12 12M18 6L6 18" />);
export const Copy = icon(
  <rect x="9" y="9" width="11" height="11" rx="2.5" />,
  <path d="M15 9V6.5A2.5 2.5 0 0012.5 4h-6A2.5 2.5 0 004 6.5v6A2.5 2.5 0 006.5 15H9" />,
);
export const Cube = icon(<path d="M12 3l8 4.5v9L12 21l-8-4.5v-9zM4 7.5l8 4.5 8-4.5M12 12v9" />);
export const Dots = icon(
  <g fill="currentColor" stroke="none">
    <circle cx="5" cy="12" r="1.7" />
    <circle cx="12" cy="12" r="1.7" />
    <circle cx="19" cy="12" r="1.7" />
  </g>,
);
export const Download = icon(<path d="M12 4v11M7 11l5 5 5-5M5 20h14" />);
export const External = icon(<path d="M14 5h5v5M19 5l-8 8M17 14v4a1 1 0 01-1 1H6a1 1 0 01-1-1V8a1 1 0 011-1h4" />);
export const File = icon(<path d="M13 3H7a2 2 0 00-2 2v14a2 2 0 002 2h10a2 2 0 002-2V9zM13 3v6h6" />);
export const Fit = icon(
  <path d="M4 9V5.500A1.500 1.500 0 015.500 4H9M15 4h3.500A1.500 1.500 0 0120 5.500V9M20 15v3.500a1.500 1.500 0 01-1.500 1.500H15M9 20H5.500A1.500 1.500 0 014 18.500V15" />,
);
export const Folder = icon(
  <path d="M3.5 18V6.5a1.5 1.5 0 011.5-1.5h4l2 2.5h8a1.5 1.5 0 011.5 1.5v9a1.5 1.5 0 01-1.5 1.5H5A1.5 1.5 0 013.5 18z" />,
);
export const FolderPlus = icon(
  <path d="M3.5 18V6.5a1.5 1.5 0 011.5-1.5h4l2 2.5h8a1.5 1.5 0 011.5 1.5v9a1.5 1.5 0 01-1.5 1.5H5A1.5 1.5 0 013.5 18zM12 11v5M9.5 13.5h5" />,
);
export const Ghost = icon(
  <path d="M5 20V11a7 7 0 0114 0v9l-2.3-2-2.4 2-2.3-2-2.3 2-2.4-2z" stroke-dasharray="3.2 2.6" />,
  <path d="M9.5 11h.01M14.5 11h.01" stroke-width="2.4" />,
);
export const Keyboard = icon(
  <rect x="3" y="6" width="18" height="12" rx="2.5" />,
  <path d="M7 10h.01M11 10h.01M15 10h.01M7 14h.01M17 14h.01M10 14h4" />,
);
export const Menu = icon(<path d="M4 7h16M4 12h16M4 17h10" />);
export const Paperclip = icon(
  <path d="M19.5 11.5l-7.7 7.7a4.6 4.6 0 01-6.5-6.5l8-8a3.1 3.1 0 014.4 4.4l-8 8a1.6 1.6 0 01-2.2-2.2l7.2-7.2" />,
);
export const Pencil = icon(<path d="M4 20l1-4L16.5 4.5a2.1 2.1 0 013 3L8 19zM14.5 6.5l3 3" />);
export const Pin = icon(<path d="M9 4h6l-.7 6 3.2 3.5H6.5L9.7 10zM12 13.5V20" />);
export const Play = icon(<path d="M8 5.5v13l10.5-6.5z" />);
export const Plus = icon(<path d="M12 5v14M5 12h14" />);
export const Minus = icon(<path d="M5 12h14" />);
export const NewChat = icon(
  <path d="M19.5 12.5V18a2 2 0 01-2 2H6a2 2 0 01-2-2V6.5a2 2 0 012-2h5.5M10.5 13.5l.7-3L18 3.7a1.6 1.6 0 012.3 2.3l-6.8 6.8z" />,
);
export const Pulse = icon(<path d="M3 12.5h4l2.500-6.500 5 12.500 2.500-6h4" />);
export const Refresh = icon(
  <path d="M4.5 12a7.5 7.5 0 0112.9-5.2L20 9M20 4.5V9h-4.5M19.5 12a7.5 7.5 0 01-12.9 5.2L4 15M4 19.5V15h4.5" />,
);
export const Search = icon(<circle cx="11" cy="11" r="6.5" />, <path d="M16 16l4.5 4.5" />);
export const Settings = icon(
  <circle cx="12" cy="12" r="3" />,
  <path d="M12 3.5v2.5M12 18v2.5M3.5 12H6M18 12h2.5M6 6l1.8 1.8M16.2 16.2L18 18M18 6l-1.8 1.8M7.8 16.2L6 18" />,
);
export const Sidebar = icon(<rect x="3.5" y="5" width="17" height="14" rx="2.5" />, <path d="M9.5 5v14" />);
export const Sliders = icon(
  <path d="M4 8h9M19 8h1M4 16h1M11 16h9" />,
  <circle cx="16" cy="8" r="2.5" />,
  <circle cx="8" cy="16" r="2.5" />,
);
export const Spark = icon(<path d="M12 4c.6 4.5 3 7 7.5 8-4.5 1-6.9 3.5-7.5 8-.6-4.5-3-7-7.5-8C9 11 11.4 8.5 12 4z" />);
export const Stop = icon(<rect x="7" y="7" width="10" height="10" rx="2" fill="currentColor" stroke="none" />);
export const Trash = icon(
  <path d="M5 7h14M10 4h4M7 7l.8 12a1.5 1.5 0 001.5 1.4h5.4a1.5 1.5 0 001.5-1.4L17 7M10.5 11v5.5M13.5 11v5.5" />,
);
export const Warning = icon(<path d="M12 4l9 15.5H3zM12 10v4.5M12 17.2h.01" />);

/** The mark: a flame above the hearth's stone. */
export function Mark({ size = 24 }: { size?: number }) {
  return (
    <svg class="mark" width={size} height={size} viewBox="0 0 48 48" aria-hidden="true">
      <path
        class="mark-flame"
        d="M25.5 4.5c1.2 6.4-1.5 9.6-4.7 13.1C17.6 21 14.5 24.5 14.5 29.5a9.5 9.5 0 0019 0c0-2.9-1-5.4-2.6-7.6-.4 2-1.3 3.4-2.7 4.3.9-7.6-.2-16.4-2.7-21.7z"
      />
      <path class="mark-heart" d="M24.3 25c.4 2.6-3.6 3.6-3.6 7a3.5 3.5 0 007 0c0-2.8-1.8-4.8-3.4-7z" />
      <path class="mark-stone" d="M9 43.5h30" />
    </svg>
  );
}
