// The archive's assets against what is here now. What was deleted comes first and is chosen with one click.
import {
  Alert,
  Button,
  Checkbox,
  FormSelect,
  FormSelectOption,
  SearchInput,
  ToggleGroup,
  ToggleGroupItem,
} from '@patternfly/react-core';
import { useDeferredValue, useEffect, useRef, useState, type ReactNode } from 'react';
import { Link } from 'react-router-dom';
import { useAction } from '../api/action';
import { loadAll } from '../api/lists';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { ago, count } from '../design/format';
import { AssetBranches } from './AssetBranches';
import { loadItems, useItems, useWorkspaceNames, type ItemFilter } from './items';
import { mostAssets, useSelection, type PlanRequest } from './selection';
import {
  assets,
  countOf,
  kindNames,
  modeNames,
  type Action,
  type AssetKind,
  type Mode,
  type PlanItem,
  type Restore,
} from './words';

interface Props {
  comparison: Restore;
  archiveId: string;
  busy: boolean;
  onCompare: () => void;
  onPlan: (request: PlanRequest) => void;
  children: ReactNode;
}

type State = Action | 'all';

export function ChooseAssets({ comparison, archiveId, busy, onCompare, onPlan, children }: Props) {
  const me = useMe();
  const selection = useSelection();
  const deleted = countOf(comparison, 'create');
  const changed = countOf(comparison, 'overwrite');
  const [state, setState] = useState<State | null>(null); // null: nobody chose
  const [kind, setKind] = useState<AssetKind | ''>('');
  const [text, setText] = useState('');
  const q = useDeferredValue(text.trim());
  const shown: State = state ?? (q ? 'all' : deleted > 0 ? 'create' : changed > 0 ? 'overwrite' : 'all');
  const filter: ItemFilter = {};
  if (shown !== 'all') filter.action = shown;
  if (kind) filter.kind = kind;
  if (q) filter.q = q;
  const items = useItems(comparison.id, filter);
  const names = useWorkspaceNames(comparison.id);
  const search = useRef<HTMLInputElement>(null);
  useEffect(() => search.current?.focus(), []);
  const [loaded, setLoaded] = useState(0);
  const selectDeleted = useAction(
    () => loadAll<PlanItem>(loadItems(comparison.id, { action: 'create' }), mostAssets, setLoaded),
    (all) => selection.add(all),
  );
  const states: [State, string, number][] = [
    ['create', 'Deleted here', deleted],
    ['overwrite', 'Changed here', changed],
    ['identical', 'Same here', countOf(comparison, 'identical')],
    ['all', 'All', comparison.item_count],
  ];
  const chosen = selection.everything ? comparison.item_count : selection.chosen.size;
  return (
    <>
      {deleted === 0 && changed === 0 && (
        <Alert variant="success" isInline component="h2" title="Nothing is lost">
          Everything in this archive is here and unchanged. Look at “All” to add a copy of something, or choose an{' '}
          <Link to="/settings/backup">older archive</Link>.
        </Alert>
      )}
      <div className="oa-row">
        <SearchInput
          ref={search}
          className="oa-search"
          aria-label="Search by name"
          placeholder="Search by name"
          value={text}
          onChange={(_event, value) => setText(value)}
          onClear={() => setText('')}
        />
        <FormSelect
          aria-label="Kind"
          value={kind}
          onChange={(_event, value) => setKind(value as AssetKind | '')}
          className="oa-kinds"
        >
          <FormSelectOption value="" label="All kinds" />
          {(Object.keys(kindNames) as AssetKind[]).map((each) => (
            <FormSelectOption key={each} value={each} label={`${kindNames[each]}s`} />
          ))}
        </FormSelect>
      </div>
      <div className="oa-row">
        <ToggleGroup aria-label="State against now" className="oa-states">
          {states.map(([value, label, number]) => (
            <ToggleGroupItem
              key={value}
              buttonId={`state-${value}`}
              text={`${label} (${count(number)})`}
              isSelected={shown === value}
              onChange={() => setState(value)}
            />
          ))}
        </ToggleGroup>
        {deleted > 0 && (
          <Button
            variant="secondary"
            isLoading={selectDeleted.isPending}
            isDisabled={selectDeleted.isPending || busy}
            onClick={() => selectDeleted.mutate(undefined)}
          >
            {selectDeleted.isPending
              ? `${count(loaded)} read…`
              : deleted === 1
                ? 'Select the deleted one'
                : `Select all ${count(deleted)} deleted`}
          </Button>
        )}
      </div>
      <ErrorNotice error={selectDeleted.error ?? items.error} onRetry={() => void items.refetch()} />
      {!items.rows && !items.error && <Loading what="what the archive has" />}
      {items.rows?.length === 0 && (
        <p role="status">
          Nothing in the archive matches{shown === 'all' ? '' : ', in this state'}.
          {state !== null && state !== 'all' && (
            <>
              {' '}
              <Button variant="link" isInline onClick={() => setState('all')}>
                Look at all states
              </Button>
            </>
          )}
        </p>
      )}
      {items.rows && (
        <AssetBranches
          restoreId={comparison.id}
          items={items.rows}
          names={names}
          selection={selection}
          disabled={busy}
        />
      )}
      {items.more.has && (
        <div>
          <Button variant="secondary" isLoading={items.more.loading} onClick={items.more.load}>
            Show more
          </Button>
        </div>
      )}
      <Checkbox
        id="choose-everything"
        label={`Everything in the archive (${assets(comparison.item_count)})`}
        isChecked={selection.everything !== null}
        isDisabled={busy}
        onChange={(_event, on) => selection.setEverything(on ? 'overwrite' : null)}
      />
      {selection.everything && (
        <FormSelect
          aria-label="What happens to what is changed here"
          value={selection.everything}
          onChange={(_event, value) => selection.setEverything(value as Mode)}
        >
          {(Object.keys(modeNames) as Mode[]).map((mode) => (
            <FormSelectOption
              key={mode}
              value={mode}
              label={`What is changed here: ${modeNames[mode].toLowerCase()}`}
            />
          ))}
        </FormSelect>
      )}
      <Checkbox
        id="choose-roles"
        label="Also who may see them: roles and shares as they were"
        isChecked={selection.withRoles}
        isDisabled={busy}
        onChange={(_event, on) => selection.setWithRoles(on)}
      />
      <p className="oa-small">
        Compared {ago(comparison.created_at)}.{' '}
        <Button variant="link" isInline onClick={onCompare}>
          Compare again
        </Button>
      </p>
      <div className="oa-bar" role="region" aria-label="Selection">
        <div aria-live="polite">
          <strong>{assets(chosen)}</strong> selected{' '}
          {chosen > 0 && !busy && (
            <Button variant="link" isInline onClick={selection.clear}>
              Clear
            </Button>
          )}
        </div>
        {children}
        <Button isDisabled={busy || chosen === 0} onClick={() => onPlan(selection.request(archiveId))}>
          See what would change in {me.tenant.name}
        </Button>
      </div>
    </>
  );
}
