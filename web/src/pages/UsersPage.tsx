// Users: who may log in, and as what. Others than Admins find their own account here.

import { useQuery } from "@tanstack/react-query";
import { Ellipsis, KeyRound, Pencil, Plus, Trash2, Users as UsersIcon } from "lucide-react";
import { useState } from "react";
import { type User, useMe, userQuery, usersQuery } from "../api/queries";
import { patternOf } from "../lib/pattern";
import { ROLE_WORDS, type Role } from "../lib/role";
import { Button, IconButton } from "../parts/Button";
import { Empty } from "../parts/Empty";
import { Loaded } from "../parts/Loaded";
import { ManagedList } from "../parts/ManagedList";
import { Menu, MenuItem, MenuSeparator } from "../parts/Menu";
import { Facts, Page, Section, Tag } from "../parts/Page";
import type { Column } from "../parts/Table";
import { Time } from "../parts/Time";
import { Edited, EditLink, type Forms, useForms } from "../parts/useForms";
import { useList } from "../parts/useList";
import { DeleteUser } from "./users/DeleteUser";
import { OwnPasswordForm, PasswordForm } from "./users/PasswordForm";
import { UserForm } from "./users/UserForm";

export function UsersPage() {
  const { may } = useMe();
  return may("Admin") ? <Users /> : <OwnAccount />;
}

function Users() {
  const { me } = useMe();
  const list = useList({ sort: "username", limit: 50 });
  const forms = useForms();
  const filter = { username_pattern: patternOf(list.url.text("q")), order_by: [list.sort] };
  const users = useQuery(usersQuery({ ...filter, limit: list.limit, offset: list.offset }));
  const edited = useQuery({
    ...userQuery(forms.edited),
    initialData: users.data?.users.find((user) => user.username === forms.edited),
  });
  const ownName = me?.username ?? "";
  return (
    <Page
      title="Users"
      actions={
        <>
          {ownName && <OwnPasswordButton name={ownName} />}
          <Button variant="primary" icon={Plus} onClick={forms.add}>
            Add a user
          </Button>
        </>
      }
    >
      <ManagedList
        noun="users"
        list={list}
        query={users}
        rowsOf={(answer) => answer.users}
        totalOf={(answer) => answer.total_entries}
        rowKey={(user) => user.username}
        rowClassName={(user) => (user.is_active ? undefined : "text-muted")}
        columns={[nameColumn(ownName), ...COLUMNS, actionsColumn(forms, ownName)]}
        empty={<Empty icon={UsersIcon} title="There is no user." command="flow users set ada --role User" />}
      />
      {forms.isAdding && <UserForm onClose={forms.close} />}
      {forms.edited && (
        <Edited key={forms.edited} query={edited} onClose={forms.close}>
          {(user) => <UserForm user={user} onClose={forms.close} />}
        </Edited>
      )}
    </Page>
  );
}

function OwnPasswordButton({ name }: { name: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button icon={KeyRound} onClick={() => setOpen(true)}>
        Change my password
      </Button>
      {isOpen && <OwnPasswordForm username={name} onClose={() => setOpen(false)} />}
    </>
  );
}

function OwnAccount() {
  const { me } = useMe();
  const name = me?.username ?? "";
  const user = useQuery(userQuery(name));
  if (!name) {
    return (
      <Page title="My account">
        <Empty title="Nobody is logged in." />
      </Page>
    );
  }
  return (
    <Page title="My account" actions={<OwnPasswordButton name={name} />}>
      <Loaded query={user} what="Your account">
        {(user) => (
          <div className="max-w-2xl p-4">
            <Section title={user.username}>
              <Facts
                facts={[
                  ["Role", `${user.role}: ${ROLE_WORDS[user.role as Role]}`],
                  ["Made", <Time key="made" at={user.created_at} />],
                  ["Last login", <Time key="login" at={user.last_login_at} none="never" />],
                ]}
              />
            </Section>
            <p className="mt-3 px-1 text-muted">An Admin changes roles.</p>
          </div>
        )}
      </Loaded>
    </Page>
  );
}

const nameColumn = (ownName: string): Column<User> => ({
  key: "username",
  header: "Name",
  sortKey: "username",
  className: "max-w-40 sm:max-w-64",
  cell: (user) => (
    <span className="flex items-center gap-2">
      <span className="truncate">
        <EditLink name={user.username}>{user.username}</EditLink>
      </span>
      {user.username === ownName && <Tag>you</Tag>}
    </span>
  ),
});

const COLUMNS: readonly Column<User>[] = [
  {
    key: "role",
    header: "Role",
    sortKey: "role",
    width: "w-full",
    className: "max-w-0 min-w-16 truncate",
    cell: (user) => (
      <>
        {user.role} <span className="ml-2 text-muted max-md:hidden">{ROLE_WORDS[user.role as Role]}</span>
      </>
    ),
  },
  {
    key: "active",
    header: "May log in",
    className: "whitespace-nowrap",
    cell: (user) => (user.is_active ? "yes" : "no"),
  },
  {
    key: "last",
    header: "Last login",
    sortKey: "last_login_at",
    hideBelow: "sm",
    cell: (user) => <Time at={user.last_login_at} none="never" />,
  },
  {
    key: "created",
    header: "Made",
    sortKey: "created_at",
    hideBelow: "md",
    cell: (user) => <Time at={user.created_at} />,
  },
];

const actionsColumn = (forms: Forms, ownName: string): Column<User> => ({
  key: "actions",
  header: <span className="sr-only">Actions</span>,
  align: "right",
  cell: (user) => <UserMenu user={user} forms={forms} isOwn={user.username === ownName} />,
});

function UserMenu({ user, forms, isOwn }: { user: User; forms: Forms; isOwn: boolean }) {
  const [doing, setDoing] = useState<"password" | "delete" | null>(null);
  const close = () => setDoing(null);
  const { username } = user;
  return (
    <>
      <Menu trigger={<IconButton label={`Actions for ${username}`} icon={Ellipsis} size="sm" />}>
        <MenuItem icon={Pencil} onSelect={() => forms.edit(username)}>
          Edit
        </MenuItem>
        <MenuItem icon={KeyRound} onSelect={() => setDoing("password")}>
          {isOwn ? "Change my password" : "Reset the password"}
        </MenuItem>
        <MenuSeparator />
        <MenuItem icon={Trash2} danger onSelect={() => setDoing("delete")}>
          Delete…
        </MenuItem>
      </Menu>
      {doing === "password" && isOwn && <OwnPasswordForm username={username} onClose={close} />}
      {doing === "password" && !isOwn && <PasswordForm username={username} onClose={close} />}
      {doing === "delete" && <DeleteUser user={user} isOwn={isOwn} onClose={close} />}
    </>
  );
}
