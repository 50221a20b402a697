/** Everything that draws pages. */

import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { queryClient } from "./api/queries";
import { router } from "./router";

/** How long the first render waits, in milliseconds: one with the answers takes half the work of one before each of them. */
const PATIENCE = 200;

/** Renders the page, with what was asked ahead where that comes in a moment. */
export async function start(asked: Promise<unknown>): Promise<void> {
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE));
  await Promise.race([Promise.all([asked, router.load()]), patience]);
  createRoot(document.getElementById("page")!).render(
    <StrictMode>
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
