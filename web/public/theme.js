// Before anything is drawn: the theme that the person chose (see src/state/settings.ts).
try {
  var theme = localStorage.getItem("ingle.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch (error) {
  // Storage is switched off: the system's theme.
}
