import { Button, Card, CardBody, EmptyState, EmptyStateBody, Form, FormGroup, TextInput } from '@patternfly/react-core';
import { useState } from 'react';
import { useSearchParams } from 'react-router-dom';
import { answer, api, type Schema } from '../api/client';
import { nameOf, useMe, type Me } from '../api/me';
import { useList } from '../api/lists';
import { actorName } from '../design/people';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { PageFrame } from '../design/PageFrame';
import { RecordTable } from '../design/RecordTable';
import { AuditChain } from './AuditChain';
import { AuditDetail } from './AuditDetail';

type Event = Schema['AuditEvent'];

const names = ['action', 'resource_id', 'from', 'to'] as const;
type Filter = Partial<Record<(typeof names)[number], string>>;

function filterOf(parameters: URLSearchParams): Filter {
  return Object.fromEntries(names.flatMap((name) => (parameters.get(name) ? [[name, parameters.get(name)]] : [])));
}

/** Days of the filter as moments: the last one counts whole. */
function queryOf({ from, to, ...rest }: Filter) {
  return {
    ...rest,
    ...(from ? { from: new Date(`${from}T00:00:00`).toISOString() } : {}),
    ...(to ? { to: new Date(new Date(`${to}T00:00:00`).getTime() + 86_400_000).toISOString() } : {}),
  };
}

const when = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'medium' });

export function AuditPage() {
  const me = useMe();
  const [parameters, setParameters] = useSearchParams();
  const filter = filterOf(parameters);
  const list = useList<Event>(['audit', filter], (page) =>
    answer(api.GET('/v1/audit/events', { params: { query: { ...queryOf(filter), ...page } } })),
  );
  return (
    <PageFrame
      title="Audit"
      about="Who did what. Every entry is chained to the one before it, so that nothing can be changed or removed unnoticed."
    >
      <div className="oa-stack">
        <AuditChain />
        <Card>
          <CardBody className="oa-stack">
            <FilterForm key={parameters.toString()} filter={filter} onFilter={(next) => setParameters(next)} />
            <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
            {!list.rows && !list.error && <Loading what="the audit log" />}
            {list.rows?.length === 0 && (
              <EmptyState titleText="No entry" headingLevel="h2">
                <EmptyStateBody>Nothing in the audit log matches. Loosen the filter.</EmptyStateBody>
              </EmptyState>
            )}
            {!!list.rows?.length && (
              <RecordTable
                label="Audit log"
                rows={list.rows}
                keyOf={(event) => event.id}
                more={list.more}
                columns={[
                  {
                    title: 'When',
                    short: true,
                    cell: (event) => <time dateTime={event.ts}>{when.format(new Date(event.ts))}</time>,
                  },
                  { title: 'Who', cell: (event) => whoDid(event, me) },
                  { title: 'Action', cell: (event) => <code>{event.action}</code> },
                  {
                    title: 'On',
                    cell: (event) => (
                      <>
                        {event.resource.type}
                        <div className="oa-small">{event.resource.id}</div>
                      </>
                    ),
                  },
                  { title: 'Details', actions: true, cell: (event) => <AuditDetail event={event} /> },
                ]}
              />
            )}
          </CardBody>
        </Card>
      </div>
    </PageFrame>
  );
}

function whoDid(event: Event, me: Me): string {
  if (event.actor.id === me.user.id) return `${nameOf(me)} (you)`;
  if (event.actor.type !== 'user') return event.actor.type === 'system' ? 'the service' : 'the operator';
  return actorName(event.actor);
}

function FilterForm({ filter, onFilter }: { filter: Filter; onFilter: (filter: Record<string, string>) => void }) {
  const [wanted, setWanted] = useState<Filter>(filter);
  const field = (name: (typeof names)[number], label: string, type: 'text' | 'date', placeholder = '') => (
    <FormGroup label={label} fieldId={`audit-${name}`}>
      <TextInput
        id={`audit-${name}`}
        type={type}
        placeholder={placeholder}
        value={wanted[name] ?? ''}
        onChange={(_event, value) => setWanted({ ...wanted, [name]: value.trim() })}
      />
    </FormGroup>
  );
  const submit = () => onFilter(Object.fromEntries(Object.entries(wanted).filter(([, value]) => value)));
  return (
    <Form
      className="oa-filter"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      {field('action', 'Action begins with', 'text', 'backup.')}
      {field('resource_id', 'Id of the thing', 'text')}
      {field('from', 'From', 'date')}
      {field('to', 'To', 'date')}
      <div className="oa-row">
        <Button type="submit" variant="secondary">
          Filter
        </Button>
        {Object.keys(filter).length > 0 && (
          <Button variant="link" onClick={() => onFilter({})}>
            Clear
          </Button>
        )}
      </div>
    </Form>
  );
}
