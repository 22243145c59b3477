// Where the UI begins.

import { MutationCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "./app.css";
import { ApiProblem, whenLoggedOut } from "./api/client";
import { watchFocus } from "./lib/focus";
import { startSettings } from "./lib/settings";
import { toastProblem } from "./lib/toast";
import { TooltipProvider } from "./parts/Tooltip";
import { createAppRouter } from "./router";

startSettings();
watchFocus();

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The stream of events says when something is stale.
      staleTime: 30_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) =>
        failures < 2 && error instanceof ApiProblem && [0, 502, 503, 504].includes(error.status),
    },
  },
  mutationCache: new MutationCache({
    onError: (error, _input, _context, mutation) => {
      if (!mutation.meta?.quiet) toastProblem(error);
    },
  }),
});

const router = createAppRouter(client);

whenLoggedOut(() => {
  const { pathname, href } = router.state.location;
  if (pathname === "/login") return;
  client.clear();
  void router.navigate({ to: "/login", search: { next: href === "/" ? undefined : href } });
});

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={client}>
        <TooltipProvider>
          <RouterProvider router={router} />
        </TooltipProvider>
      </QueryClientProvider>
    </StrictMode>,
  );
}
