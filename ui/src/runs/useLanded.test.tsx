import { act } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { useLanded } from "./useLanded";

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true);
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

it("follows the table row by row, and waits for it to rest when it flies", () => {
  let landed = { first: 0, last: 0 };
  const Probe = ({ first }: { first: number }) => {
    landed = useLanded({ first, last: first + 40 });
    return null;
  };
  const root = createRoot(document.createElement("div"));
  const at = (first: number) => act(() => root.render(<Probe first={first} />));
  const asked: number[] = [];
  for (const first of [0, 10, 150, 9000, 18_000]) {
    at(first);
    asked.push(landed.first);
  }
  expect(asked).toEqual([0, 10, 150, 150, 150]);
  act(() => vi.advanceTimersByTime(1000));
  expect(landed).toEqual({ first: 18_000, last: 18_040 });
  act(() => root.unmount());
});
