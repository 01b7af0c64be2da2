import { BellIcon, ChartBarIcon, CubesIcon, DatabaseIcon } from '@patternfly/react-icons';
import { kindNames, type AssetKind } from './words';

const icons = { workspace: CubesIcon, dataset: DatabaseIcon, report: ChartBarIcon, alert: BellIcon };

export function KindIcon({ kind }: { kind: AssetKind }) {
  const Icon = icons[kind];
  return <Icon role="img" title={kindNames[kind]} />;
}
