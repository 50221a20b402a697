import { useEffect, useState } from "react";

/** True for so many milliseconds from when the component appeared. */
export function useWhile(milliseconds: number): boolean {
  const [on, setOn] = useState(true);
  useEffect(() => {
    const timer = window.setTimeout(() => setOn(false), milliseconds);
    return () => window.clearTimeout(timer);
  }, [milliseconds]);
  return on;
}
