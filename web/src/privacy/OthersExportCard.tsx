// For Owners and Admins: a person asked by letter, or cannot sign in any more.
import { Button, Card, CardBody, CardTitle } from '@patternfly/react-core';
import { useState } from 'react';
import { useMe } from '../api/me';
import { ConfirmDialog } from '../design/ConfirmDialog';
import { ErrorNotice } from '../design/ErrorNotice';
import { ExportJobs } from './ExportJobs';
import { ExportTable } from './ExportTable';
import { PersonSearch } from './PersonSearch';
import { isAbout, useExporting } from './exporting';
import { useExports, type Person } from './privacy';

export function OthersExportCard() {
  const me = useMe();
  const [chosen, setChosen] = useState<Person | null>(null);
  const list = useExports();
  const { start, jobs, reload } = useExporting(() => setChosen(null));
  const rows = (list.rows ?? []).filter(({ user }) => user.id !== me.user.id);
  return (
    <Card>
      <CardTitle component="h2">Data of somebody else</CardTitle>
      <CardBody className="oa-stack">
        <p>For those who ask for their data and cannot sign in themselves, also when they are not active any more.</p>
        <PersonSearch
          id="export-person"
          label="Whose data"
          omit={me.user.id}
          action={(person) =>
            !person.erased && (
              <Button
                variant="secondary"
                size="sm"
                aria-label={`Export the data of ${person.name}`}
                onClick={() => setChosen(person)}
              >
                Export…
              </Button>
            )
          }
        />
        <ExportJobs
          jobs={jobs.filter((job) => !isAbout(job, me.user.id))}
          title="Collecting the data"
          onDone={reload}
        />
        <ErrorNotice error={list.error} doing="The exports cannot be shown" onRetry={() => void list.refetch()} />
        {rows.length > 0 && (
          <div>
            <h3>Exports of others</h3>
            <ExportTable label="Exports of others" rows={rows} more={list.more} whose />
          </div>
        )}
      </CardBody>
      {chosen && (
        <ConfirmDialog
          title={`Export the data of ${chosen.name}?`}
          confirm="Export the data"
          busy={start.isPending}
          error={start.error}
          onConfirm={() => start.mutate(chosen.id)}
          onClose={() => {
            start.reset();
            setChosen(null);
          }}
        >
          Everything that {me.tenant.name} knows of {chosen.name} ({chosen.email}) is put into a file, which you and{' '}
          {chosen.name} can download for 7 days. That you asked for it, and each download, is noted in the audit log.
        </ConfirmDialog>
      )}
    </Card>
  );
}
