import { useLayoutEffect, useRef } from "react";
import { Button } from "../kit/controls";
import { currentShortcuts } from "./shortcuts";

/** The keys that can be pressed on this page. */
export function HelpSheet({ onClose }: { onClose: () => void }) {
  const box = useRef<HTMLDialogElement>(null);
  // Closed while it still stands in the document, so that the browser gives the focus back.
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={box}
      className="dialog sheet"
      aria-label="Keyboard shortcuts"
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <h2>Keyboard shortcuts</h2>
      <dl>
        {currentShortcuts().map(({ keys, does }) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key.replace("Arrow", "")}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </div>
        ))}
      </dl>
      <footer>
        <Button kind="pri" onClick={onClose}>
          Close
        </Button>
      </footer>
    </dialog>
  );
}
