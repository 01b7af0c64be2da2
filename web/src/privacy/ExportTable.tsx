import { Button, Label, type LabelProps } from '@patternfly/react-core';
import { RecordTable, type Column } from '../design/RecordTable';
import { bytes, counted, moment } from '../design/format';
import { contentPath, useReloadPrivacy, type PersonalExport } from './privacy';
import { sectionsText } from './words';

const states: Record<PersonalExport['state'], { text: string; status: LabelProps['status'] }> = {
  preparing: { text: 'Being made', status: 'info' },
  ready: { text: 'Ready', status: 'success' },
  failed: { text: 'Failed', status: 'danger' },
  expired: { text: 'Not offered any more', status: 'custom' },
};

interface Props {
  label: string;
  rows: PersonalExport[];
  more: { has: boolean; loading: boolean; load: () => void };
  /** With a column that says whose data it is. */
  whose?: boolean;
}

export function ExportTable({ label, rows, more, whose = false }: Props) {
  const columns: Column<PersonalExport>[] = [
    {
      title: 'Asked for',
      short: true,
      cell: (row) => (
        <>
          {moment(row.requested_at)}
          <div className="oa-small">by {row.requested_by?.name ?? 'the operator'}</div>
        </>
      ),
    },
    {
      title: 'State',
      cell: (row) => (
        <>
          <Label isCompact status={states[row.state].status}>
            {states[row.state].text}
          </Label>
          {row.state === 'ready' && row.expires_at && <div className="oa-small">until {moment(row.expires_at)}</div>}
        </>
      ),
    },
    {
      title: 'Contents',
      cell: (row) => (
        <>
          {row.size_bytes === null ? '' : bytes(row.size_bytes)}
          <div className="oa-small">{sectionsText(row.counts)}</div>
        </>
      ),
    },
    {
      title: 'Downloaded',
      cell: (row) => (row.downloads === 0 ? 'never' : counted(row.downloads, 'time')),
    },
    { title: 'Actions', actions: true, cell: (row) => row.state === 'ready' && <Download row={row} whose={whose} /> },
  ];
  if (whose) columns.unshift({ title: 'Whose', cell: (row) => <strong>{row.user.name}</strong> });
  return <RecordTable label={label} rows={rows} keyOf={(row) => row.id} more={more} columns={columns} />;
}

function Download({ row, whose }: { row: PersonalExport; whose: boolean }) {
  const reload = useReloadPrivacy();
  return (
    <Button
      component="a"
      variant="secondary"
      size="sm"
      href={contentPath(row)}
      download
      onClick={() => window.setTimeout(reload, 1500)} // the server counts it when it begins
      aria-label={`Download the export of ${whose ? row.user.name : moment(row.requested_at)}`}
    >
      Download
    </Button>
  );
}
