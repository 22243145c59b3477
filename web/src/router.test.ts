import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { createAppRouter } from "./router";

test("every route has an address of its own", () => {
  const { routesByPath, buildLocation, matchRoutes } = createAppRouter(new QueryClient());
  const params = {
    dagId: "etl.daily",
    runId: "scheduled__2026-01-01T00:00:00+00:00",
    taskId: "a/b",
    _splat: "x/y.yaml",
  };
  const astray = Object.values(routesByPath).filter((route) => {
    const found = matchRoutes(buildLocation({ to: route.fullPath, params } as never)).at(-1);
    return found?.routeId !== route.id;
  });
  expect(astray.map((route) => route.id)).toEqual([]);
  expect(Object.keys(routesByPath)).toContain("/edit/$");
});
