import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const KEY = "stele.theme";
const listeners = new Set<() => void>();

function read(): Theme {
  const theme = document.documentElement.dataset.theme;
  return theme === "light" || theme === "dark" ? theme : "system";
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Whether the page is dark now, by choice or by the system. */
export const isDark = (): boolean => (read() === "system" ? dark.matches : read() === "dark");

dark.addEventListener("change", () => listeners.forEach((listener) => listener()));

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useTheme = (): Theme => useSyncExternalStore(subscribe, read);

/** Changes when colours do: canvases are drawn again. */
export const useDark = (): boolean => useSyncExternalStore(subscribe, isDark);

export function setTheme(theme: Theme): void {
  if (theme === "system") {
    delete document.documentElement.dataset.theme;
    localStorage.removeItem(KEY);
  } else {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem(KEY, theme);
  }
  listeners.forEach((listener) => listener());
}

/** The other one than what is seen now. */
export const toggleTheme = (): void => setTheme(isDark() ? "light" : "dark");
