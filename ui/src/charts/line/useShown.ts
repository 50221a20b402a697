import { useLayoutEffect, useMemo, useRef, useState, useSyncExternalStore } from "react";
import type { SeriesLoader, Shown } from "../data/loader";

/** What is known of these keys; they are asked for while the component is mounted. */
export function useShown(loader: SeriesLoader, keys: readonly string[]): readonly Shown[] {
  const joined = keys.join("\n");
  const follow = useMemo(() => {
    const wanted = joined.split("\n");
    return (listener: () => void) => {
      const stops = wanted.map((key) => loader.follow(key, listener));
      return () => stops.forEach((stop) => stop());
    };
  }, [loader, joined]);
  const held = useRef<readonly Shown[]>([]);
  return useSyncExternalStore(follow, () => {
    const now = joined.split("\n").map((key) => loader.get(key));
    const same = now.length === held.current.length && now.every((shown, i) => shown === held.current[i]);
    if (!same) held.current = now;
    return held.current;
  });
}

/** The size of an element in whole pixels, followed as it changes and when it comes and goes. */
export function useSize<E extends HTMLElement>(): [React.RefCallback<E>, { width: number; height: number }] {
  const [element, setElement] = useState<E | null>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    if (!element) return;
    const measure = () => {
      const [width, height] = [Math.floor(element.clientWidth), Math.floor(element.clientHeight)];
      setSize((held) => (held.width === width && held.height === height ? held : { width, height }));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return [setElement, size];
}
