// A link that leads outside is opened only after its whole address was shown: what a model writes as a link's text says
// nothing about where it leads, and an address can carry away what was said.

import { t } from "../../i18n/index.ts";
import { copyText } from "../../state/files.ts";
import { outsideLink } from "../../state/overlays.ts";
import { Dialog } from "../Dialog.tsx";
import { External } from "../icons.tsx";

export function LinkDialog() {
  const address = outsideLink.value;
  if (address === null) return null;
  const close = () => (outsideLink.value = null);
  return (
    <Dialog title={t("link.title")} onClose={close}>
      <p class="dialog-body">{t("link.body")}</p>
      <p class="link-address" tabIndex={0}>
        {address}
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={close}>
          {t("action.cancel")}
        </button>
        <button type="button" class="button" onClick={() => void copyText(address).then(close)}>
          {t("action.copy")}
        </button>
        <a
          class="button button-primary"
          href={address}
          target="_blank"
          rel="noopener noreferrer"
          data-direct
          onClick={close}
        >
          <External size={17} /> {t("link.open")}
        </a>
      </div>
    </Dialog>
  );
}

/** Catches all links that were not made to be opened directly. */
export function watchLinks() {
  const caught = (event: MouseEvent) => {
    const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
    if (!(link instanceof HTMLAnchorElement) || link.dataset["direct"] !== undefined || link.download) return;
    if (link.origin === location.origin && link.pathname === location.pathname) return;
    event.preventDefault();
    if (/^(https?|mailto):$/.test(link.protocol)) outsideLink.value = link.href;
  };
  addEventListener("click", caught, true);
  addEventListener("auxclick", caught, true);
}
