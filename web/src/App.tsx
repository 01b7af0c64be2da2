// Which page is where. Who is not signed in sees the sign-in page and then the place that they asked for.
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useCallback, useEffect, useState } from 'react';
import { Navigate, Route, Routes, useLocation } from 'react-router-dom';
import { whenCatchingUp, whenSignedOut } from './api/client';
import { MeContext, meKey, useMeQuery } from './api/me';
import { CatchingUpPage } from './design/CatchingUpPage';
import { ErrorNotice } from './design/ErrorNotice';
import { Layout } from './design/Layout';
import { Loading } from './design/Loading';
import { NotFoundPage } from './design/NotFoundPage';
import { SignInPage } from './sign_in/SignInPage';

const page = <Name extends string>(load: () => Promise<Record<Name, React.ComponentType>>, name: Name) =>
  lazy(async () => ({ default: (await load())[name] }));

const WorkspacesPage = page(() => import('./workspaces/WorkspacesPage'), 'WorkspacesPage');
const WorkspacePage = page(() => import('./workspaces/WorkspacePage'), 'WorkspacePage');
const ReportPage = page(() => import('./reports/ReportPage'), 'ReportPage');
const BackupPage = page(() => import('./backup/BackupPage'), 'BackupPage');
const ArchivePage = page(() => import('./backup/ArchivePage'), 'ArchivePage');
const UploadPage = page(() => import('./backup/UploadPage'), 'UploadPage');
const MomentPage = page(() => import('./moment/MomentPage'), 'MomentPage');
const ChoosePage = page(() => import('./restore/ChoosePage'), 'ChoosePage');
const RestorePage = page(() => import('./restore/RestorePage'), 'RestorePage');
const RestoresPage = page(() => import('./restore/RestoresPage'), 'RestoresPage');
const AuditPage = page(() => import('./settings/AuditPage'), 'AuditPage');
const KeysPage = page(() => import('./settings/KeysPage'), 'KeysPage');
const ErasePage = page(() => import('./privacy/ErasePage'), 'ErasePage');
const ErasurePage = page(() => import('./privacy/ErasurePage'), 'ErasurePage');
const PrivacyPage = page(() => import('./privacy/PrivacyPage'), 'PrivacyPage');
const TrustPage = page(() => import('./trust/TrustPage'), 'TrustPage');
const TokensPage = page(() => import('./settings/TokensPage'), 'TokensPage');

export function App() {
  const client = useQueryClient();
  const location = useLocation();
  const signingIn = location.pathname === '/sign-in';
  const forEverybody = location.pathname === '/trust';
  const me = useMeQuery(!signingIn && !forEverybody);
  useEffect(() => whenSignedOut(() => client.setQueryData(meKey, null)), [client]);

  const [catchingUp, setCatchingUp] = useState(false);
  useEffect(() => whenCatchingUp(() => setCatchingUp(true)), []);
  const caughtUp = useCallback(() => {
    setCatchingUp(false);
    void client.resetQueries();
  }, [client]);

  if (catchingUp) return <CatchingUpPage onServing={caughtUp} />;
  if (signingIn) return <SignInPage />;
  if (forEverybody)
    return (
      <Suspense
        fallback={
          <main className="oa-alone">
            <Loading what="the page" />
          </main>
        }
      >
        <TrustPage />
      </Suspense>
    );
  if (me.error)
    return (
      <main className="oa-alone">
        <ErrorNotice error={me.error} onRetry={() => void me.refetch()} />
      </main>
    );
  if (me.data === undefined)
    return (
      <main className="oa-alone">
        <Loading what="your account" />
      </main>
    );
  if (me.data === null) {
    const next = location.pathname + location.search;
    return <Navigate to={next === '/' ? '/sign-in' : `/sign-in?next=${encodeURIComponent(next)}`} replace />;
  }
  const { may_back_up: mayBackUp, owner } = me.data;
  return (
    <MeContext.Provider value={me.data}>
      <Layout>
        <Suspense fallback={<Loading what="the page" />}>
          <Routes>
            <Route path="/" element={<Navigate to="/workspaces" replace />} />
            <Route path="/workspaces" element={<WorkspacesPage />} />
            <Route path="/workspaces/:workspaceId/:tab?" element={<WorkspacePage />} />
            <Route path="/reports/:reportId" element={<ReportPage />} />
            <Route path="/settings/tokens" element={<TokensPage />} />
            <Route path="/settings/privacy">
              <Route index element={<PrivacyPage />} />
              {owner && <Route path="erase" element={<ErasePage />} />}
              {owner && <Route path="erasures/:erasureId" element={<ErasurePage />} />}
            </Route>
            {mayBackUp && (
              <Route path="/settings/backup">
                <Route index element={<BackupPage />} />
                <Route path="upload" element={<UploadPage />} />
                {owner && <Route path="moment" element={<MomentPage />} />}
                <Route path="archives/:archiveId" element={<ArchivePage />} />
                <Route path="archives/:archiveId/restore" element={<ChoosePage />} />
                <Route path="restores" element={<RestoresPage />} />
                <Route path="restores/:restoreId" element={<RestorePage />} />
              </Route>
            )}
            {owner && <Route path="/settings/audit" element={<AuditPage />} />}
            {owner && <Route path="/settings/keys" element={<KeysPage />} />}
            <Route path="*" element={<NotFoundPage />} />
          </Routes>
        </Suspense>
      </Layout>
    </MeContext.Provider>
  );
}
