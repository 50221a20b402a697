// Before the first paint: the theme that the visitor chose, if it is not the system's. A file, because the page has no
// inline script.
try {
  const theme = localStorage.getItem("stele.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Storage is off: the system's theme it is.
}
