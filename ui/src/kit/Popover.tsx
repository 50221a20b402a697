/** Menus and other panels that open under a button. */

import { useEffect, useId, useLayoutEffect, useRef, useState, type ReactNode } from "react";
import { createPortal } from "react-dom";
import { Button } from "./controls";
import { Icon } from "./Icon";
import type { IconName } from "./icons";

interface PopoverProps {
  /** What opens it; gets the props of a disclosure. */
  trigger: (props: {
    onClick: () => void;
    "aria-expanded": boolean;
    "aria-haspopup": "menu" | "dialog";
    "aria-controls": string;
  }) => ReactNode;
  children: (close: () => void) => ReactNode;
  kind?: "menu" | "dialog";
  label: string;
  align?: "start" | "end";
  width?: number;
}

const MARGIN = 8;

/** A panel below its trigger, kept inside the window; Escape and a press outside close it and give the focus back. */
export function Popover({ trigger, children, kind = "dialog", label, align = "start", width }: PopoverProps) {
  const [open, setOpen] = useState(false);
  const anchor = useRef<HTMLSpanElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const id = useId();

  const close = () => {
    setOpen(false);
    anchor.current?.querySelector<HTMLElement>("button, a")?.focus();
  };

  useLayoutEffect(() => {
    if (!open || !anchor.current || !panel.current) return;
    const at = anchor.current.getBoundingClientRect();
    const box = panel.current;
    const left = align === "end" ? at.right - box.offsetWidth : at.left;
    box.style.left = `${Math.max(MARGIN, Math.min(left, innerWidth - box.offsetWidth - MARGIN))}px`;
    const below = at.bottom + 4;
    const fits = below + box.offsetHeight + MARGIN <= innerHeight || at.top < box.offsetHeight;
    box.style.top = `${fits ? below : at.top - box.offsetHeight - 4}px`;
    box.style.maxHeight = `${innerHeight - (fits ? below : MARGIN) - MARGIN}px`;
    if (!box.contains(document.activeElement)) {
      (box.querySelector<HTMLElement>("[autofocus], input, [role=menuitem], button") ?? box).focus();
    }
  }, [open, align]);

  useEffect(() => {
    if (!open) return;
    const outside = (event: PointerEvent) => {
      const target = event.target as Node;
      if (!panel.current?.contains(target) && !anchor.current?.contains(target)) setOpen(false);
    };
    addEventListener("pointerdown", outside, true);
    return () => removeEventListener("pointerdown", outside, true);
  }, [open]);

  return (
    <span ref={anchor} className="anchor">
      {trigger({ onClick: () => setOpen(!open), "aria-expanded": open, "aria-haspopup": kind, "aria-controls": id })}
      {open &&
        createPortal(
          <div
            ref={panel}
            id={id}
            role={kind}
            aria-label={label}
            tabIndex={-1}
            className="pop"
            style={width ? { width } : undefined}
            onKeyDown={(event) => {
              if (event.key === "Escape") {
                event.stopPropagation();
                close();
              } else if (kind === "menu") moveInMenu(event);
            }}
          >
            {children(close)}
          </div>,
          document.body,
        )}
    </span>
  );
}

function moveInMenu(event: React.KeyboardEvent<HTMLElement>) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const items = [...event.currentTarget.querySelectorAll<HTMLElement>("[role=menuitem]:not(:disabled)")];
  const at = items.indexOf(document.activeElement as HTMLElement);
  items[(at + step + items.length) % items.length]?.focus();
}

export interface MenuItem {
  text: string;
  icon?: IconName;
  keys?: string;
  bad?: boolean;
  disabled?: string | false;
  onChoose: () => void;
}

/** The actions behind a "more" button. `null` is a rule between groups. */
export function Menu({
  label,
  items,
  icon = "more",
  text,
  small = true,
}: {
  label: string;
  items: (MenuItem | null)[];
  icon?: IconName;
  text?: string;
  small?: boolean;
}) {
  return (
    <Popover
      kind="menu"
      label={label}
      align="end"
      trigger={(props) => (
        <Button {...props} kind={text ? "plain" : "ghost"} small={small} icon={icon} title={label}>
          {text}
        </Button>
      )}
    >
      {(close) => (
        <div className="menu">
          {items.map((item, i) =>
            item === null ? (
              <hr key={i} />
            ) : (
              <button
                key={item.text}
                type="button"
                role="menuitem"
                disabled={Boolean(item.disabled)}
                title={item.disabled || undefined}
                className={item.bad ? "bad" : ""}
                onClick={() => {
                  close();
                  item.onChoose();
                }}
              >
                {item.icon ? <Icon name={item.icon} size={14} /> : <span className="noicon" />}
                <span className="grow">{item.text}</span>
                {item.keys && <kbd>{item.keys}</kbd>}
              </button>
            ),
          )}
        </div>
      )}
    </Popover>
  );
}
