// Tokens with which programs log in: one's own; for an Admin everyone's.

import { useQuery } from "@tanstack/react-query";
import { KeyRound, Plus } from "lucide-react";
import { useState } from "react";
import { deleteToken, useAction } from "../api/actions";
import { type Token, tokensQuery, useMe } from "../api/queries";
import { toast } from "../lib/toast";
import { curlLine, type TokenState, tokenState } from "../lib/token";
import { Button } from "../parts/Button";
import { CodeBlock } from "../parts/CodeBlock";
import { ConfirmDialog } from "../parts/Dialog";
import { Empty } from "../parts/Empty";
import { Checkbox } from "../parts/Field";
import { ManagedList } from "../parts/ManagedList";
import { Page, Section, Tag } from "../parts/Page";
import type { Column } from "../parts/Table";
import { Time, useNow } from "../parts/Time";
import { useForms } from "../parts/useForms";
import { type List, useList } from "../parts/useList";
import { TokenForm } from "./tokens/TokenForm";

const OWN = "own";

export function TokensPage() {
  const { me, may } = useMe();
  const isAdmin = may("Admin");
  const ownName = me?.username ?? undefined;
  const list = useList({ sort: "", limit: 50 });
  const forms = useForms();
  const isOwnOnly = list.url.text("of") === OWN;
  const username = isOwnOnly ? ownName : undefined;
  const tokens = useQuery(tokensQuery({ username, limit: list.limit, offset: list.offset }));
  const isEmpty = tokens.data?.tokens.length === 0;
  return (
    <Page
      title="Tokens"
      about="With a token a program may do what its user may."
      actions={
        <Button variant="primary" icon={Plus} onClick={forms.add}>
          Make a token
        </Button>
      }
    >
      <ManagedList
        noun="tokens"
        isShort
        filters={isAdmin && ownName && <OwnFilter list={list} />}
        list={list}
        query={tokens}
        rowsOf={(answer) => answer.tokens}
        totalOf={(answer) => answer.total_entries}
        rowKey={(token) => String(token.id)}
        columns={isAdmin ? [NAME, WHOSE, ...COLUMNS] : [NAME, ...COLUMNS]}
        empty={
          <Empty
            icon={KeyRound}
            title="There are no tokens yet."
            command="flow tokens create ci --user ada --expires 90d"
            action={<Button onClick={forms.add}>Make a token</Button>}
          >
            Programs, such as a build server, need one to work with Flow.
          </Empty>
        }
      />
      {tokens.data && !isEmpty && <HowTo />}
      {forms.isAdding && <TokenForm ownName={ownName} isAdmin={isAdmin} onClose={forms.close} />}
    </Page>
  );
}

function OwnFilter({ list }: { list: List }) {
  return (
    // biome-ignore lint/a11y/noLabelWithoutControl: the checkbox is inside
    <label className="flex h-8 items-center gap-2">
      <Checkbox
        checked={list.url.text("of") === OWN}
        onCheckedChange={(isOn) => list.filter({ of: isOn ? OWN : undefined })}
      />
      Only mine
    </label>
  );
}

function HowTo() {
  return (
    <div className="p-4">
      <Section title="Use a token" className="max-w-3xl">
        <CodeBlock text={curlLine(location.origin, "$FLOW_TOKEN")} label="Any program" className="my-2" />
        <CodeBlock
          text={`export FLOW_SERVER=${location.origin} FLOW_TOKEN=flow_…\nflow dags list`}
          label="The command flow, on another machine"
          className="my-2"
        />
      </Section>
    </div>
  );
}

const NAME: Column<Token> = {
  key: "name",
  header: "Name",
  className: "max-w-40 sm:max-w-72",
  cell: (token) => (
    <span className="flex items-center gap-2">
      <span className="truncate font-medium" title={token.name}>
        {token.name}
      </span>
      <StateTag token={token} />
    </span>
  ),
};

const STATE_WORDS: Record<TokenState, string | null> = { good: null, expired: "expired", revoked: "revoked" };

function useTokenState(token: Token): TokenState {
  return tokenState(token, useNow(60_000));
}

function StateTag({ token }: { token: Token }) {
  const words = STATE_WORDS[useTokenState(token)];
  return words && <Tag>{words}</Tag>;
}

const WHOSE: Column<Token> = {
  key: "username",
  header: "User",
  className: "max-w-28 truncate",
  cell: (token) => token.username,
};

const COLUMNS: readonly Column<Token>[] = [
  {
    key: "prefix",
    header: "Begins with",
    hideBelow: "md",
    cell: (token) => <code className="font-mono text-xs">{token.prefix}…</code>,
  },
  { key: "created", header: "Made", hideBelow: "lg", cell: (token) => <Time at={token.created_at} /> },
  { key: "expires", header: "Expires", hideBelow: "sm", cell: (token) => <Time at={token.expires_at} none="never" /> },
  {
    key: "used",
    header: "Last used",
    width: "w-full",
    hideBelow: "md",
    cell: (token) => <Time at={token.last_used_at} none="never" />,
  },
  {
    key: "actions",
    header: <span className="sr-only">Actions</span>,
    align: "right",
    cell: (token) => <RevokeButton token={token} />,
  },
];

function RevokeButton({ token }: { token: Token }) {
  const [isAsking, setAsking] = useState(false);
  const isGood = useTokenState(token) === "good";
  const revoke = useAction(deleteToken, {
    done: () => {
      toast(`${token.name} was revoked.`);
      setAsking(false);
    },
  });
  if (!isGood) return null;
  return (
    <>
      <Button size="sm" aria-label={`Revoke ${token.name}`} onClick={() => setAsking(true)}>
        Revoke
      </Button>
      <ConfirmDialog
        open={isAsking}
        onOpenChange={setAsking}
        title={`Revoke ${token.name}?`}
        confirm="Revoke the token"
        danger
        pending={revoke.isPending}
        onConfirm={() => revoke.mutate(token.id)}
      >
        Programs that use it are refused at once. This cannot be undone.{" "}
        {token.last_used_at ? (
          <>
            It was last used <Time at={token.last_used_at} />.
          </>
        ) : (
          "It was never used."
        )}
      </ConfirmDialog>
    </>
  );
}
