/** What stands where data will be, is not, or could not be had. */

import { useEffect, useState, type ReactNode } from "react";
import { ApiError } from "../api/http";
import { Button, CopyButton } from "./controls";

const PATIENCE = 150;

/** Nothing for 150 ms, then bars in the place of rows. */
export function Loading({ rows = 5, label = "Loading" }: { rows?: number; label?: string }) {
  const [late, setLate] = useState(false);
  useEffect(() => {
    const timer = window.setTimeout(() => setLate(true), PATIENCE);
    return () => window.clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-label={label} className="loading">
      {late &&
        Array.from({ length: rows }, (_, i) => (
          <div key={i} className={`sk w${i % 5}`}>
            <i />
            <i />
            <i />
          </div>
        ))}
    </div>
  );
}

/** An error in a part of the page, where that part would be. */
export function Problem({ what, error, onRetry }: { what: string; error: unknown; onRetry?: () => void }) {
  const message = error instanceof Error ? error.message : String(error);
  const details =
    error instanceof ApiError
      ? [error.status || "", error.code, error.requestId && `req ${error.requestId}`].filter(Boolean).join(" · ")
      : "";
  return (
    <div className="problem" role="alert">
      <b>{what}</b>
      <p>{message}</p>
      {details && <code>{details}</code>}
      <div className="row">
        {onRetry && (
          <Button small onClick={onRetry}>
            Retry
          </Button>
        )}
        <CopyButton text={`${what}\n${message}\n${details}`} label="Copy details" />
      </div>
    </div>
  );
}

/** Nothing here, why, and what to do about it. */
export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="problem">
      <b>{title}</b>
      {children}
    </div>
  );
}
