import { Link } from 'react-router-dom';
import type { PlanItem } from './words';

/** To where the asset is now. What was removed or not written has no place. */
export function AssetLink({ item }: { item: PlanItem }) {
  const to = placeOf(item);
  return to ? <Link to={to}>{item.name}</Link> : <strong>{item.name}</strong>;
}

function placeOf(item: PlanItem): string | null {
  if (item.action === 'remove' || item.action === 'blocked') return null;
  if (item.kind === 'report') return `/reports/${item.target_id}`;
  if (item.kind === 'workspace') return `/workspaces/${item.target_id}`;
  if (item.kind === 'dataset') return `/workspaces/${item.workspace_id}/datasets`;
  return null;
}
