import { Divider, Dropdown, DropdownGroup, DropdownItem, DropdownList, MenuToggle } from '@patternfly/react-core';
import { UserIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { useNavigate } from 'react-router-dom';
import { api } from '../api/client';
import { useAction } from '../api/action';
import { nameOf, useForget, useMe } from '../api/me';
import { asProblem } from '../api/problem';
import { PasswordDialog } from '../sign_in/PasswordDialog';
import { ConfirmDialog } from './ConfirmDialog';

type Dialog = 'password' | 'everywhere' | null;

export function AccountMenu() {
  const me = useMe();
  const forget = useForget();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  const [dialog, setDialog] = useState<Dialog>(null);
  const leave = () => {
    navigate('/sign-in', { replace: true });
    forget();
  };
  const signOut = useAction(async () => {
    try {
      await api.POST('/v1/auth/sign-out');
    } catch (error) {
      if (asProblem(error).status !== 401) throw error; // signed out already
    }
  }, leave);
  const everywhere = useAction(() => api.POST('/v1/auth/sign-out-everywhere'), leave);
  const select = (value: unknown) => {
    setOpen(false);
    if (value === 'sign-out') signOut.mutate(undefined);
    else setDialog(value as Dialog);
  };
  return (
    <>
      <Dropdown
        isOpen={open}
        onOpenChange={setOpen}
        onSelect={(_event, value) => select(value)}
        popperProps={{ position: 'right' }}
        toggle={(ref) => (
          <MenuToggle
            ref={ref}
            variant="plainText"
            icon={<UserIcon />}
            isExpanded={open}
            onClick={() => setOpen(!open)}
            aria-label={`Account of ${nameOf(me)}`}
          >
            <span className="oa-account-name">{nameOf(me)}</span>
          </MenuToggle>
        )}
      >
        <DropdownGroup label={`${me.user.email} · ${me.owner ? 'Owner' : me.may_back_up ? 'Admin' : 'Member'}`}>
          <DropdownList>
            <DropdownItem value="password">Change password…</DropdownItem>
            <Divider component="li" />
            <DropdownItem value="everywhere">Sign out everywhere…</DropdownItem>
            <DropdownItem value="sign-out">Sign out</DropdownItem>
          </DropdownList>
        </DropdownGroup>
      </Dropdown>
      {dialog === 'password' && <PasswordDialog onClose={() => setDialog(null)} />}
      {dialog === 'everywhere' && (
        <ConfirmDialog
          title="Sign out everywhere?"
          confirm="Sign out everywhere"
          busy={everywhere.isPending}
          error={everywhere.error}
          onConfirm={() => everywhere.mutate(undefined)}
          onClose={() => setDialog(null)}
        >
          You are signed out here and in every other browser. Your API tokens go on working.
        </ConfirmDialog>
      )}
      {signOut.error && (
        <ConfirmDialog
          title="You are still signed in"
          confirm="Try again"
          error={signOut.error}
          busy={signOut.isPending}
          onConfirm={() => signOut.mutate(undefined)}
          onClose={() => signOut.reset()}
        >
          Signing out did not work.
        </ConfirmDialog>
      )}
    </>
  );
}
