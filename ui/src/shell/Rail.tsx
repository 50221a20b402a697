import { Link, useRouterState } from "@tanstack/react-router";
import { useState } from "react";
import { Icon, Logo } from "../kit/Icon";
import type { IconName } from "../kit/icons";
import { usePinned } from "../experiments/pinned";
import { openPalette } from "./palette";
import { useShortcuts } from "./shortcuts";
import { toggleTheme } from "./theme";

const WIDE = "stele.rail";
const LISTS = /^\/(experiments|models)\/?$/;

/** The main navigation: 48 pixels, wide on list pages; `[` toggles and is remembered. */
export function Rail() {
  const path = useRouterState({ select: (state) => state.location.pathname });
  const [choice, setChoice] = useState(() => localStorage.getItem(WIDE));
  const wide = choice === null ? LISTS.test(path) : choice === "1";
  const toggle = () => {
    localStorage.setItem(WIDE, wide ? "0" : "1");
    setChoice(wide ? "0" : "1");
  };
  useShortcuts([{ keys: "[", does: "Navigation wide or narrow", run: toggle }]);
  return (
    <nav className={`rail ${wide ? "wide" : ""}`} aria-label="Main">
      <Link to="/experiments" className="brand" title="Stele">
        <Logo />
        <span>Stele</span>
      </Link>
      <button type="button" onClick={openPalette} title="Search (Ctrl K)">
        <Icon name="search" />
        <span>Search</span>
        <em>
          <kbd>Ctrl K</kbd>
        </em>
      </button>
      <hr />
      <Item to="/experiments" icon="flask" text="Experiments" on={path.startsWith("/experiments")} />
      <Item to="/models" icon="cube" text="Models" on={path.startsWith("/models")} />
      {wide && <Pinned />}
      <div className="grow" />
      <button type="button" onClick={toggleTheme} title="Light or dark">
        <Icon name="half" />
        <span>Theme</span>
      </button>
      <button type="button" onClick={toggle} title={`${wide ? "Narrow" : "Wide"} navigation ([)`}>
        <Icon name={wide ? "columns" : "table"} />
        <span>Narrow</span>
      </button>
    </nav>
  );
}

function Item({ to, icon, text, on }: { to: "/experiments" | "/models"; icon: IconName; text: string; on: boolean }) {
  return (
    <Link to={to} className={on ? "on" : ""} aria-current={on ? "page" : undefined} title={text}>
      <Icon name={icon} />
      <span>{text}</span>
    </Link>
  );
}

function Pinned() {
  const pinned = usePinned();
  if (pinned.length === 0) return null;
  return (
    <>
      <h6>Pinned</h6>
      {pinned.map(({ id, name }) => (
        <Link key={id} to="/experiments/$experimentId" params={{ experimentId: id }} title={name}>
          <i className="dot" />
          <span>{name}</span>
        </Link>
      ))}
    </>
  );
}
