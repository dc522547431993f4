// The sidebar where there is no room beside the page: it slides over it, as a dialog.

import { useLayoutEffect, useRef } from "preact/hooks";
import { t } from "../../i18n/index.ts";
import { drawerOpen } from "../../state/overlays.ts";
import { Sidebar } from "./Sidebar.tsx";

export function Drawer() {
  return drawerOpen.value ? <Opened /> : null;
}

function Opened() {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current!;
    element.showModal();
    return () => element.close();
  }, []);
  return (
    <dialog
      ref={dialog}
      class="drawer"
      aria-label={t("sidebar.label")}
      onCancel={(event) => {
        event.preventDefault();
        drawerOpen.value = false;
      }}
      onMouseDown={(event) => {
        if (event.target === dialog.current) drawerOpen.value = false;
      }}
    >
      <Sidebar />
    </dialog>
  );
}
