import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { ApiError, token } from "../api/http";
import { Dialog } from "../kit/Dialog";
import { Field } from "../kit/controls";
import { Asked } from "./ask";
import { ConnectionLine } from "./Connection";
import { HelpSheet } from "./HelpSheet";
import { openPalette, usePaletteOpen } from "./palette";
import { Rail } from "./Rail";
import { useShortcuts } from "./shortcuts";
import { useTokenWanted } from "./signIn";
import { UndoBar } from "./undo";

const loadPalette = () => import("./Palette");
const Palette = lazy(loadPalette);

/** What stands around every page. */
export function Shell() {
  const [help, setHelp] = useState(false);
  const palette = usePaletteOpen();
  const navigate = useNavigate();
  // Whoever presses Ctrl K types on at once.
  useEffect(() => {
    const timer = window.setTimeout(() => void loadPalette().catch(() => undefined), 1500);
    return () => window.clearTimeout(timer);
  }, []);
  useShortcuts([
    { keys: "Ctrl+K", does: "Go to, or do, anything", run: openPalette },
    { keys: "g e", does: "Experiments", run: () => void navigate({ to: "/experiments" }) },
    { keys: "g m", does: "Models", run: () => void navigate({ to: "/models" }) },
    { keys: "?", does: "This sheet", run: () => setHelp(true) },
  ]);
  return (
    <>
      <Rail />
      <div className="frame">
        <ConnectionLine />
        <Outlet />
      </div>
      <UndoBar />
      <Asked />
      <SignIn />
      {help && <HelpSheet onClose={() => setHelp(false)} />}
      {palette && (
        <Suspense>
          <Palette />
        </Suspense>
      )}
    </>
  );
}

/** Asks for an access token once the server has refused to answer without one. */
function SignIn() {
  const client = useQueryClient();
  const wanted = useTokenWanted();
  const [text, setText] = useState("");
  const [closed, setClosed] = useState(false);
  if (!wanted || closed) return null;
  const submit = async () => {
    token.set(text.trim());
    await client.resetQueries({
      predicate: ({ state }) => state.error instanceof ApiError && state.error.status === 401,
    });
  };
  return (
    <Dialog
      title="Access token"
      action="Continue"
      onSubmit={submit}
      onClose={() => setClosed(true)}
      disabled={!text.trim()}
    >
      <p>
        This server answers only with a token. Whoever runs it makes one with <code>stele tokens create</code>. It is
        kept until this tab closes.
      </p>
      {token.get() && <p role="alert">The server does not know that token.</p>}
      <Field label="Token" type="password" autoComplete="off" value={text} onChange={setText} />
    </Dialog>
  );
}
