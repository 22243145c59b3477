// In place of a page that cannot be shown.

import { type ErrorComponentProps, useRouter } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { MissingChunk, mayReload } from "../lib/chunk";
import { Loading } from "../parts/Loading";
import { Problem } from "../parts/Problem";

export function BrokenPage({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const isGone = error instanceof MissingChunk;
  const [isReloading, setReloading] = useState(isGone);
  useEffect(() => {
    if (!isGone) return;
    if (mayReload(sessionStorage)) location.reload();
    else setReloading(false);
  }, [isGone]);
  if (isReloading) return <Loading />;
  const retry = () => {
    if (isGone) return location.reload();
    reset();
    // What failed before the page came is asked again, too.
    void router.invalidate();
  };
  return <Problem error={error} title="This page could not be shown." onRetry={retry} />;
}
