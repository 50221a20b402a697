import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useShortcuts } from "./shortcuts";

const PAUSE = 150;

/** The text that a list is searched for: typed at once, in the address (`q`) after a moment; `/` goes to the field. */
export function useSearchText(does: string) {
  const { q = "" } = useSearch({ strict: false }) as { q?: string };
  const navigate = useNavigate();
  const [text, setText] = useState(q);
  const field = useRef<HTMLInputElement>(null);
  useShortcuts([{ keys: "/", does, run: () => field.current?.focus() }]);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      if (text === q) return;
      void navigate({
        to: ".",
        replace: true,
        search: ((held: object) => ({ ...held, q: text || undefined })) as never,
      });
    }, PAUSE);
    return () => window.clearTimeout(timer);
  }, [text, q, navigate]);
  return { text, setText, settled: q, field };
}
