// What the plan does, or did, with each asset.
import { FormSelect, FormSelectOption, Label } from '@patternfly/react-core';
import { useState } from 'react';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable, type Column } from '../design/RecordTable';
import { count, title } from '../design/format';
import { AssetLink } from './AssetLink';
import { DifferencesButton } from './DifferencesButton';
import { KindIcon } from './KindIcon';
import { useItems } from './items';
import {
  actionNames,
  countOf,
  doneNames,
  keyOf,
  kindNames,
  rowsNames,
  type Action,
  type PlanItem,
  type Restore,
} from './words';

export function ItemTable({ restore, done = false }: { restore: Restore; done?: boolean }) {
  const actions = (Object.keys(actionNames) as Action[]).filter((action) => countOf(restore, action) > 0);
  const [action, setAction] = useState<Action | ''>('');
  const items = useItems(restore.id, action ? { action } : {}, 100);
  const columns: Column<PlanItem>[] = [
    {
      title: 'Asset',
      cell: (item) => (
        <>
          <span className="oa-kind">
            <KindIcon kind={item.kind} />
            {done ? <AssetLink item={item} /> : <strong>{item.name}</strong>}
          </span>
          {item.renamed_from && <div className="oa-small">was “{item.renamed_from}”, a name that is taken now</div>}
        </>
      ),
    },
    { title: 'Kind', cell: (item) => kindNames[item.kind] },
    { title: done ? 'What happened' : 'What happens', cell: (item) => <What item={item} done={done} /> },
    { title: 'Rows', cell: rowsText },
  ];
  if (!done) {
    columns.push({
      title: 'Differences',
      actions: true,
      cell: (item) => (item.action === 'overwrite' ? <DifferencesButton restoreId={restore.id} item={item} /> : null),
    });
  }
  return (
    <>
      {actions.length > 1 && (
        <FormSelect
          aria-label="Show"
          value={action}
          onChange={(_event, value) => setAction(value as Action | '')}
          className="oa-kinds"
        >
          <FormSelectOption value="" label={`All (${count(restore.item_count)})`} />
          {actions.map((each) => (
            <FormSelectOption
              key={each}
              value={each}
              label={`${actionNames[each].text} (${count(countOf(restore, each))})`}
            />
          ))}
        </FormSelect>
      )}
      <ErrorNotice error={items.error} onRetry={() => void items.refetch()} />
      {!items.rows && !items.error && <Loading what="the assets" />}
      {items.rows && (
        <RecordTable label="Assets of the plan" rows={items.rows} keyOf={keyOf} columns={columns} more={items.more} />
      )}
    </>
  );
}

function What({ item, done }: { item: PlanItem; done: boolean }) {
  const { text: planned, status } = actionNames[item.action];
  const text = done ? title(doneNames[item.action] ?? planned) : planned;
  return (
    <>
      <Label isCompact status={status}>
        {text}
      </Label>
      {!done && item.newer_here && item.action === 'overwrite' && (
        <div className="oa-small">It was edited here after the archive was made: those edits go.</div>
      )}
      {item.brought && (
        <div className="oa-small">{done ? 'came' : 'comes'} along, because something that was chosen needs it</div>
      )}
      {item.action === 'blocked' && <div className="oa-small">{item.reason}</div>}
    </>
  );
}

function rowsText(item: PlanItem): string {
  const text = rowsNames[item.rows];
  if (item.rows !== 'restore' || item.rows_after === null) return text;
  return item.rows_before === null
    ? `${count(item.rows_after)} ${text}`
    : `${count(item.rows_before)} → ${count(item.rows_after)} ${text}`;
}
