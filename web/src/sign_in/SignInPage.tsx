// Signing in. The organisation is remembered in this browser; ?organisation= fills it in, ?next= says where to go.
import { Button, Card, CardBody, Form, FormGroup, TextInput, Title } from '@patternfly/react-core';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useNavigate, useSearchParams } from 'react-router-dom';
import { useAction } from '../api/action';
import { answer, api, keepCsrfToken } from '../api/client';
import { meKey } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { ThemeMenu } from '../design/ThemeMenu';

const organisationKey = 'organisation';

/** Only places of these pages: never another site's. */
function placeOf(next: string | null): string {
  return next && /^\/(?![/\\])/.test(next) && !next.startsWith('/sign-in') ? next : '/workspaces';
}

export function SignInPage() {
  const [parameters] = useSearchParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const [organisation, setOrganisation] = useState(
    parameters.get('organisation') ?? window.localStorage.getItem(organisationKey) ?? '',
  );
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  useEffect(() => {
    document.title = 'Sign in · OneAnalytics';
    (first.current?.value ? second : first).current?.focus();
  }, []);
  const signIn = useAction(
    () =>
      answer(
        api.POST('/v1/auth/sign-in', { body: { organisation: organisation.trim(), email: email.trim(), password } }),
      ),
    (me) => {
      window.localStorage.setItem(organisationKey, organisation.trim());
      client.clear();
      keepCsrfToken(me.csrf_token);
      client.setQueryData(meKey, me);
      navigate(placeOf(parameters.get('next')), { replace: true });
    },
  );
  const ready = organisation.trim() !== '' && email.trim() !== '' && password !== '';
  return (
    <main className="oa-sign-in">
      <div className="oa-sign-in-theme">
        <ThemeMenu />
      </div>
      <Card className="oa-sign-in-card" isLarge>
        <CardBody>
          <img src="/icon.svg" alt="" width="40" height="40" />
          <Title headingLevel="h1" size="2xl">
            Sign in to OneAnalytics
          </Title>
          <Form
            onSubmit={(event) => {
              event.preventDefault();
              if (ready && !signIn.isPending) signIn.mutate(undefined);
            }}
          >
            <FormGroup label="Organisation" fieldId="organisation">
              <TextInput
                ref={first}
                id="organisation"
                name="organisation"
                autoComplete="organization"
                value={organisation}
                onChange={(_event, value) => setOrganisation(value)}
              />
            </FormGroup>
            <FormGroup label="E-mail address" fieldId="email">
              <TextInput
                ref={second}
                id="email"
                name="email"
                type="email"
                autoComplete="username"
                value={email}
                onChange={(_event, value) => setEmail(value)}
              />
            </FormGroup>
            <FormGroup label="Password" fieldId="password">
              <TextInput
                id="password"
                name="password"
                type="password"
                autoComplete="current-password"
                value={password}
                onChange={(_event, value) => setPassword(value)}
              />
            </FormGroup>
            <ErrorNotice error={signIn.error} />
            <Button type="submit" isBlock isDisabled={!ready || signIn.isPending} isLoading={signIn.isPending}>
              Sign in
            </Button>
          </Form>
        </CardBody>
      </Card>
    </main>
  );
}
