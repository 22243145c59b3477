import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useRouter } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { logIn, useAction } from "../api/actions";
import { safeNext } from "../lib/next";
import { Button } from "../parts/Button";
import { Field, TextInput } from "../parts/Field";
import { Logo } from "../parts/Logo";
import { useTitle } from "../parts/Page";
import { useUrl } from "../parts/useUrl";

export function LoginPage() {
  useTitle("Log in");
  const client = useQueryClient();
  const router = useRouter();
  const navigate = useNavigate();
  const next = safeNext(useUrl().text("next"));
  const enter = useAction(logIn, {
    quiet: true,
    done: async () => {
      client.clear();
      await router.invalidate();
      void navigate({ href: next });
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    // Read from the form: browsers fill it in without a word.
    const form = new FormData(event.currentTarget);
    enter.mutate({ username: String(form.get("username")).trim(), password: String(form.get("password")) });
  };
  return (
    <main className="flex min-h-dvh flex-col items-center bg-sunken px-4 pt-[16dvh] pb-8">
      <div className="flex flex-col items-center gap-3">
        <Logo size={40} />
        <h1 className="text-xl font-semibold tracking-tight">Log in to Flow</h1>
      </div>
      <form onSubmit={submit} className="card mt-6 flex w-full max-w-sm flex-col gap-4 p-5" noValidate>
        <Field label="Name">
          <TextInput name="username" autoComplete="username" autoCapitalize="none" autoFocus />
        </Field>
        <Field label="Password" error={enter.error?.message}>
          <TextInput name="password" type="password" autoComplete="current-password" />
        </Field>
        <Button type="submit" variant="primary" pending={enter.isPending}>
          Log in
        </Button>
      </form>
      <details className="mt-4 w-full max-w-sm text-sm text-muted">
        <summary className="px-1">The first time here?</summary>
        <p className="mt-1 px-1">
          The first start made the user <code className="font-mono text-xs">admin</code> and wrote the password to{" "}
          <code className="font-mono text-xs">admin_password</code> in Flow's home folder,{" "}
          <code className="font-mono text-xs">$FLOW_HOME</code>. A lost password is set anew on the server:{" "}
          <code className="font-mono text-xs whitespace-nowrap">flow users set admin --password-stdin</code>
        </p>
      </details>
    </main>
  );
}
