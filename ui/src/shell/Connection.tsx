import { useEffect, useState } from "react";
import { tryNow, useConnection } from "../api/events";
import { clock } from "../format/times";
import { Icon } from "../kit/Icon";

/** One line while the server is away; gone when it is back. */
export function ConnectionLine() {
  const { state, since, retryAt } = useConnection();
  const [, tick] = useState(0);
  const away = state === "away";
  useEffect(() => {
    if (!away) return;
    const timer = window.setInterval(() => tick((n) => n + 1), 1000);
    return () => window.clearInterval(timer);
  }, [away]);
  if (!away) return null;
  const seconds = Math.max(0, Math.ceil((retryAt - Date.now()) / 1000));
  return (
    <div className="away" role="status">
      <Icon name="warn" size={14} />
      <span>
        Connection lost, showing data of {clock(since)}.{" "}
        {seconds > 0 ? `Trying again in ${seconds} s.` : "Trying again."}
      </span>
      <button type="button" className="lnk" onClick={tryNow}>
        Try now
      </button>
    </div>
  );
}
