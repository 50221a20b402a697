import { useLayoutEffect, useRef, type FormEvent, type ReactNode } from "react";
import { Button } from "./controls";

/** A question that must be answered before going on: names, comments, tokens. Never for looking at things. */
export function Dialog({
  title,
  children,
  action,
  onSubmit,
  onClose,
  disabled,
}: {
  title: string;
  children: ReactNode;
  /** What the answer does, as the button says it. */
  action: string;
  onSubmit: () => void | Promise<void>;
  onClose: () => void;
  disabled?: boolean;
}) {
  const box = useRef<HTMLDialogElement>(null);
  // Closed while it still stands in the document, so that the browser gives the focus back.
  useLayoutEffect(() => {
    const dialog = box.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    void onSubmit();
  };
  return (
    <dialog
      ref={box}
      className="dialog"
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <form onSubmit={submit}>
        <h2>{title}</h2>
        {children}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind="pri" type="submit" disabled={disabled}>
            {action}
          </Button>
        </footer>
      </form>
    </dialog>
  );
}
