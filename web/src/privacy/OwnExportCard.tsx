import {
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  EmptyState,
  EmptyStateBody,
  ExpandableSection,
} from '@patternfly/react-core';
import { useState } from 'react';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { ExportJobs } from './ExportJobs';
import { ExportTable } from './ExportTable';
import { isAbout, useExporting } from './exporting';
import { useExports } from './privacy';

export function OwnExportCard() {
  const me = useMe();
  const list = useExports(me.user.id);
  const { start, jobs, reload } = useExporting();
  const own = jobs.filter((job) => isAbout(job, me.user.id));
  const running = list.rows?.some(({ state }) => state === 'preparing');
  return (
    <Card>
      <CardHeader
        className="oa-card-header"
        actions={{
          actions: (
            <Button
              isDisabled={start.isPending || running}
              isLoading={start.isPending}
              onClick={() => start.mutate(undefined)}
            >
              Export my data
            </Button>
          ),
          hasNoOffset: true,
        }}
      >
        <CardTitle component="h2">Your data</CardTitle>
      </CardHeader>
      <CardBody className="oa-stack">
        <p>
          Everything that {me.tenant.name} knows of you, in one file that people and programs can read. It is offered
          here for 7 days; each download is noted in the audit log.
        </p>
        <WhatIsInside />
        <ErrorNotice error={start.error} doing="The export was not begun" />
        <ExportJobs jobs={own} title="Collecting your data" onDone={reload} />
        <ErrorNotice error={list.error} doing="Your exports cannot be shown" onRetry={() => void list.refetch()} />
        {!list.rows && !list.error && <Loading what="your exports" lines={2} />}
        {list.rows?.length === 0 && (
          <EmptyState variant="sm" titleText="No export yet" headingLevel="h3">
            <EmptyStateBody>Choose “Export my data” to have one made.</EmptyStateBody>
          </EmptyState>
        )}
        {!!list.rows?.length && <ExportTable label="Your exports" rows={list.rows} more={list.more} />}
      </CardBody>
    </Card>
  );
}

const inside: [string, string][] = [
  ['Profile', 'name, e-mail address, attributes'],
  ['Memberships', 'teams, roles in workspaces, reports that are shared with you'],
  ['Sessions and API tokens', 'when they were made and used; never the secrets themselves'],
  ['Activity', 'every entry of the audit log by you and about you'],
  [
    'What you made or changed',
    'a reference to each report, dataset, alert and archive, with a link; not what is in them',
  ],
  ['Exports and erasures', 'those of your data before'],
];

export function WhatIsInside() {
  const [open, setOpen] = useState(false);
  return (
    <ExpandableSection
      toggleText="What is inside"
      isExpanded={open}
      onToggle={(_event, expanded) => setOpen(expanded)}
      displaySize="default"
    >
      <ul className="oa-list">
        {inside.map(([what, about]) => (
          <li key={what}>
            <strong>{what}</strong>: {about}
          </li>
        ))}
      </ul>
      <p className="oa-small">
        The file is JSON. It says how many entries each part has; they are counted again before it is offered, so that
        it is whole or not there at all.
      </p>
    </ExpandableSection>
  );
}
