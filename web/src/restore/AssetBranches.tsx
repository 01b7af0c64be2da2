// The tree: workspaces and what is in them, with a box to choose each and, where it exists here, what to do with it.
import { Button, Checkbox, FormSelect, FormSelectOption, Label } from '@patternfly/react-core';
import { AngleDownIcon, AngleRightIcon } from '@patternfly/react-icons';
import { useState } from 'react';
import { counted } from '../design/format';
import { DifferencesButton } from './DifferencesButton';
import { KindIcon } from './KindIcon';
import { isIncluded, type Selection } from './selection';
import { keyOf, kindNames, modeNames, stateNames, type Mode, type PlanItem } from './words';

interface Props {
  restoreId: string;
  items: PlanItem[];
  names: Map<string, string>;
  selection: Selection;
  disabled: boolean;
}

export function AssetBranches({ restoreId, items, names, selection, disabled }: Props) {
  const branches = new Map<string, PlanItem[]>();
  for (const item of items) {
    const branch = branches.get(item.workspace_id);
    if (branch) branch.push(item);
    else branches.set(item.workspace_id, [item]);
  }
  const sorted = [...branches].sort(([a], [b]) => (names.get(a) ?? a).localeCompare(names.get(b) ?? b));
  return sorted.map(([id, leaves]) => (
    <Branch
      key={id}
      restoreId={restoreId}
      id={id}
      name={names.get(id) ?? 'Workspace'}
      items={leaves}
      selection={selection}
      disabled={disabled}
    />
  ));
}

interface BranchProps extends Omit<Props, 'names'> {
  id: string;
  name: string;
}

function Branch({ restoreId, id, name, items, selection, disabled }: BranchProps) {
  const [open, setOpen] = useState(true);
  // A workspace stands for all that is in it, seen or not: it is chosen by itself, or when it was deleted with all.
  const own = items.filter((item) => item.kind !== 'workspace' || item.action === 'create');
  const possible = own.filter((item) => item.action !== 'blocked');
  const included = own.length > 0 && own.every((item) => isIncluded(selection, item));
  const chosen = possible.filter((item) => selection.chosen.has(keyOf(item))).length;
  const all = included || (possible.length > 0 && chosen === possible.length);
  return (
    <section className="oa-branch" aria-label={name}>
      <header>
        <Button
          variant="plain"
          size="sm"
          aria-expanded={open}
          aria-controls={`branch-${id}`}
          aria-label={`${name}, show or hide`}
          onClick={() => setOpen(!open)}
          icon={open ? <AngleDownIcon /> : <AngleRightIcon />}
        />
        <Checkbox
          id={`all-${id}`}
          label={<strong>{name}</strong>}
          aria-label={`All that is shown of ${name}`}
          isChecked={all ? true : chosen > 0 ? null : false}
          isDisabled={disabled || included || possible.length === 0}
          onChange={() => (all ? selection.remove(possible) : selection.add(possible))}
        />
        <span className="oa-small">{counted(items.length, 'asset')} shown</span>
      </header>
      {open && (
        <ul id={`branch-${id}`}>
          {items.map((item) => (
            <Leaf key={keyOf(item)} restoreId={restoreId} item={item} selection={selection} disabled={disabled} />
          ))}
        </ul>
      )}
    </section>
  );
}

interface LeafProps extends Omit<Props, 'names' | 'items'> {
  item: PlanItem;
}

function Leaf({ restoreId, item, selection, disabled }: LeafProps) {
  const key = keyOf(item);
  const chosen = selection.chosen.get(key);
  const included = isIncluded(selection, item);
  const state = stateNames[item.action];
  const here = item.action === 'overwrite' || item.action === 'identical';
  return (
    <li className="oa-leaf">
      <Checkbox
        id={`leaf-${key}`}
        label={
          <span className="oa-kind">
            <KindIcon kind={item.kind} />
            {item.kind === 'workspace' ? `${item.name}: the whole workspace` : item.name}
          </span>
        }
        aria-label={`${kindNames[item.kind]} ${item.name}`}
        description={noteOf(item, included)}
        isChecked={included || chosen !== undefined}
        isDisabled={disabled || included || item.action === 'blocked'}
        onChange={(_event, on) => (on ? selection.add([item]) : selection.remove([item]))}
      />
      <span className="oa-row">
        {item.action === 'overwrite' && <DifferencesButton restoreId={restoreId} item={item} />}
        {state ? (
          <Label isCompact status={state.status}>
            {state.text}
          </Label>
        ) : (
          <span className="oa-small">same here</span>
        )}
      </span>
      {chosen && here && !included && (
        <FormSelect
          aria-label={`What to do with ${item.name}`}
          value={chosen.mode}
          isDisabled={disabled}
          onChange={(_event, mode) => selection.setMode(item, mode as Mode)}
        >
          {(Object.keys(modeNames) as Mode[]).map((mode) => (
            <FormSelectOption key={mode} value={mode} label={modeNames[mode]} />
          ))}
        </FormSelect>
      )}
    </li>
  );
}

function noteOf(item: PlanItem, included: boolean): string | undefined {
  if (item.action === 'blocked') return item.reason;
  if (included) return 'with its workspace';
  if (item.kind === 'workspace') return 'with everything that the archive has in it';
  return item.newer_here ? 'edited here after the archive was made' : undefined;
}
