// Where the page begins.

import { render } from "preact";
import { App } from "./App.tsx";
import { watchLinks } from "./components/overlays/LinkDialog.tsx";
import { obeyShortcuts } from "./components/shortcuts.ts";
import { followRoute } from "./state/route.ts";
import { startWithFragment } from "./state/session.ts";
import { applySettings } from "./state/settings.ts";
import { startSync } from "./state/sync.ts";
import "./styles/index.css";

applySettings();
void startWithFragment();
followRoute();
startSync();
obeyShortcuts();
watchLinks();
render(<App />, document.getElementById("app")!);
