// The people of the organisation, to choose one from: inactive and erased ones are marked.
import { FormGroup, Label, SearchInput } from '@patternfly/react-core';
import { useEffect, useState, type ReactNode } from 'react';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable } from '../design/RecordTable';
import { usePeople, type Person } from './privacy';

const quietMs = 250; // without a key, before the server is asked

interface Props {
  id: string;
  label: string;
  omit?: string;
  action: (person: Person) => ReactNode;
}

export function PersonSearch({ id, label, omit, action }: Props) {
  const [typed, setTyped] = useState('');
  const list = usePeople(useSettled(typed.trim(), quietMs));
  const rows = list.rows?.filter((person) => person.id !== omit);
  return (
    <div className="oa-stack">
      <FormGroup label={label} fieldId={id} className="oa-narrow">
        <SearchInput
          searchInputId={id}
          aria-label={label}
          placeholder="Name or e-mail address"
          value={typed}
          onChange={(_event, value) => setTyped(value.slice(0, 100))}
          onClear={() => setTyped('')}
        />
      </FormGroup>
      <ErrorNotice error={list.error} doing="The people cannot be shown" onRetry={() => void list.refetch()} />
      {!rows && !list.error && <Loading what="the people" lines={3} />}
      {rows?.length === 0 && <p role="status">Nobody of that name or address.</p>}
      {!!rows?.length && (
        <RecordTable
          label="People"
          rows={rows}
          keyOf={(person) => person.id}
          more={list.more}
          columns={[
            {
              title: 'Name',
              cell: (person) => (
                <span className="oa-row oa-wrap">
                  <strong>{person.name}</strong>
                  <PersonMarks person={person} />
                </span>
              ),
            },
            { title: 'E-mail address', cell: (person) => (person.erased ? '' : person.email) },
            { title: 'Actions', actions: true, cell: action },
          ]}
        />
      )}
    </div>
  );
}

export function PersonMarks({ person }: { person: Person }) {
  if (person.erased)
    return (
      <Label isCompact variant="outline">
        Erased
      </Label>
    );
  return (
    <>
      {person.owner && <Label isCompact>Owner</Label>}
      {!person.active && (
        <Label isCompact status="warning">
          Inactive
        </Label>
      )}
    </>
  );
}

/** `value` when it has stayed the same for so long. */
function useSettled(value: string, ms: number): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(value), ms);
    return () => window.clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
