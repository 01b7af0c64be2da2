// The trust report: how well backups could be restored. For everybody, signed in or not; printable.
import {
  Card,
  CardBody,
  CardTitle,
  ClipboardCopy,
  Content,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  EmptyState,
  EmptyStateBody,
  Title,
} from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useEffect, type ReactNode } from 'react';
import { answer, api } from '../api/client';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable } from '../design/RecordTable';
import { ThemeMenu } from '../design/ThemeMenu';
import { count, counted, duration, moment } from '../design/format';
import { StepChart } from './StepChart';
import { distribution, outcomeWords, seconds, type Report } from './words';

export function TrustPage() {
  const report = useQuery({ queryKey: ['trust'], queryFn: () => answer(api.GET('/trust/report.json')) });
  useEffect(() => {
    document.title = 'Trust report · OneAnalytics';
  }, []);
  return (
    <main className="oa-trust">
      <div className="oa-trust-head">
        <Title headingLevel="h1" size="3xl">
          Trust report
        </Title>
        <ThemeMenu />
      </div>
      <Content component="p">
        A backup that is never restored is a hope. Each quarter, archives of organisations that agreed are restored into
        recovery tenants, used as people use them, compared with what was archived, and destroyed. This is what came of
        it, failures included.
      </Content>
      <ErrorNotice error={report.error} onRetry={() => void report.refetch()} />
      {!report.data && !report.error && <Loading what="the report" />}
      {report.data && <Sections report={report.data} />}
    </main>
  );
}

function Sections({ report }: { report: Report }) {
  const [latest] = report.measured.quarters;
  const { cells } = report.measured;
  return (
    <div className="oa-stack">
      <Section title="Promised and measured">
        <Facts
          facts={[
            [
              'Working again after a disaster (RTO)',
              `promised within ${duration(report.promised.rto_seconds)}; ${distribution(report.measured.recovery_seconds)}`,
            ],
            [
              'Work lost at most (RPO)',
              report.now.rpo_seconds === null
                ? `promised ${duration(report.promised.rpo_seconds)}; not measured now`
                : `promised ${duration(report.promised.rpo_seconds)}; ${seconds(report.now.rpo_seconds)} now${
                    report.now.worst_rpo_seconds === null ? '' : `, ${seconds(report.now.worst_rpo_seconds)} at worst`
                  }`,
            ],
            [
              'Any moment can be brought back of the last',
              `${report.promised.window_days.starter}, ${report.promised.window_days.growth} or ${report.promised.window_days.scale} days, by plan; uploaded originals for ${report.promised.originals_days} days`,
            ],
            ['Age of the archives that were restored', distribution(report.measured.archive_age_seconds)],
            ...(cells
              ? ([
                  [
                    'The whole database, at a random moment',
                    `working again: ${distribution(cells.recovery_seconds)}; lost in a disaster at that time: ${distribution(cells.data_loss_seconds)}`,
                  ],
                ] as [string, string][])
              : []),
            ['Organisations that take part', `${count(report.tenants.taking_part)} of ${count(report.tenants.all)}`],
            [
              `Stored bytes verified within ${report.now.verified_days} days`,
              report.now.verified_share === null
                ? 'not measured yet'
                : `${(report.now.verified_share * 100).toFixed(1)} %; ${counted(report.now.damaged_objects, 'damaged object')}`,
            ],
            ['Stored files', report.now.objects_encryption],
            ['Volume of the database', report.now.database_volume],
          ]}
        />
      </Section>
      <Section title="Drills">
        {report.measured.quarters.length === 0 ? (
          <EmptyState titleText={report.records.length === 0 ? 'No drill yet' : 'No drill of an archive yet'} headingLevel="h3">
            <EmptyStateBody>The first is done as soon as an organisation agrees to take part, from the 15th day of each quarter on.</EmptyStateBody>
          </EmptyState>
        ) : (
          <RecordTable
            label="Drills by quarter"
            rows={report.measured.quarters}
            keyOf={({ quarter }) => quarter}
            columns={[
              { title: 'Quarter', cell: ({ quarter }) => quarter, short: true },
              { title: outcomeWords.successful, numeric: true, cell: ({ outcomes }) => count(outcomes.successful) },
              { title: outcomeWords.failed, numeric: true, cell: ({ outcomes }) => count(outcomes.failed) },
              { title: outcomeWords.timed_out, numeric: true, cell: ({ outcomes }) => count(outcomes.timed_out) },
              { title: 'Working again after', cell: (quarter) => distribution(quarter.recovery_seconds) },
            ]}
          />
        )}
      </Section>
      {latest && (
        <Section title={`How long the steps took in ${latest.quarter}`}>
          <StepChart steps={latest.step_seconds} />
        </Section>
      )}
      {cells && (
        <Section title="How long the steps took for the whole database">
          <StepChart steps={cells.step_seconds} />
        </Section>
      )}
      {report.records.length > 0 && (
        <Section title="The last drills">
          <RecordTable
            label="The last drills"
            rows={report.records.slice(-20).reverse()}
            keyOf={({ hash }) => hash}
            columns={[
              { title: 'Number', numeric: true, cell: ({ record }) => count(record.number) },
              { title: 'Started', cell: ({ record }) => moment(record.started_at), short: true },
              { title: 'Of', cell: ({ record }) => (record.kind === 'cell' ? 'The database' : 'An archive'), short: true },
              { title: 'Outcome', cell: ({ record }) => outcomeText(record) },
              {
                title: 'Working again after',
                numeric: true,
                cell: ({ record }) => (record.recovery_seconds === null ? '–' : seconds(record.recovery_seconds)),
              },
            ]}
          />
        </Section>
      )}
      <Section title="Verify it yourself">
        <Content component="p">
          Each record is signed, and carries the hash of the one before: none can be changed, removed or added in
          between. With the report and the public key, which you should have from somewhere else than this page:
        </Content>
        <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel="Fetch the report">
          {`curl -o report.json ${window.location.origin}/trust/report.json`}
        </ClipboardCopy>
        <ClipboardCopy isReadOnly isCode hoverTip="Copy" clickTip="Copied" textAriaLabel="Verify the report">
          {`oa-backup drill verify report.json --public-key ${report.public_key}`}
        </ClipboardCopy>
        <Content component="small">
          Made {moment(report.made_at)}. <a href="/trust/report.json">The report as JSON</a>
        </Content>
      </Section>
    </div>
  );
}

// Of one that was not successful, the step where it ended.
function outcomeText({ outcome, steps }: Report['records'][number]['record']): string {
  const last = steps.at(-1);
  return outcome === 'successful' || !last
    ? outcomeWords[outcome]
    : `${outcomeWords[outcome]} at “${last.name}” (${last.code ?? 'unknown'})`;
}

function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <Card>
      <CardTitle component="h2">{title}</CardTitle>
      <CardBody className="oa-stack">{children}</CardBody>
    </Card>
  );
}

function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <DescriptionList isHorizontal horizontalTermWidthModifier={{ default: '14ch', md: '32ch' }}>
      {facts.map(([term, text]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>{text}</DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
