// What exports hold and erasures do, in words. Names that the server has anew are told as they are.
import { count, counted, title } from '../design/format';

const effects: [string, string][] = [
  ['profile', 'Name, address, attributes and password blanked'],
  ['sessions', 'Sessions ended'],
  ['tokens', 'API tokens revoked'],
  ['memberships', 'Teams left'],
  ['roles', 'Roles in workspaces taken away'],
  ['grants', 'Shared reports not shared with them any more'],
  ['alert_channels', 'Alerts that do not reach their address any more'],
  ['documents', 'Texts that named them, without the name'],
  ['uploads', 'Unfinished uploads discarded'],
  ['exports', 'Exports of their data removed'],
  ['answers', 'Remembered answers of the API forgotten'],
  ['sign_in_attempts', 'Attempts to sign in forgotten'],
];
const kept = new Set(['audit_events', 'assets']);

/** What goes, as term and number; what does not concern the person is left out. */
export function effectFacts(values: Record<string, number>): [string, string][] {
  const known = new Map(effects);
  const names = [...known.keys(), ...Object.keys(values).filter((name) => !known.has(name) && !kept.has(name))];
  return names.flatMap((name): [string, string][] => {
    const value = values[name] ?? 0;
    if (value === 0) return [];
    return [[known.get(name) ?? title(name), name === 'profile' ? 'yes' : count(value)]];
  });
}

const assetKinds: [string, string][] = [
  ['reports', 'report'],
  ['datasets', 'dataset'],
  ['alerts', 'alert'],
  ['workspaces', 'workspace'],
  ['archives', 'archive'],
];

/** "12 reports, 2 datasets"; empty when there is none. */
export function assetsText(values: Record<string, number>): string {
  const known = new Map(assetKinds);
  const names = [...known.keys(), ...Object.keys(values).filter((name) => !known.has(name))];
  return names
    .flatMap((name) => {
      const value = values[name] ?? 0;
      const one = known.get(name);
      if (value === 0) return [];
      return [one ? counted(value, one) : `${count(value)} ${title(name).toLowerCase()}`];
    })
    .join(', ');
}

const sections: Record<string, [string, string]> = {
  profile: ['profile', 'profiles'],
  memberships: ['team', 'teams'],
  roles: ['role', 'roles'],
  grants: ['shared report', 'shared reports'],
  sessions: ['session', 'sessions'],
  tokens: ['API token', 'API tokens'],
  activity: ['entry of activity', 'entries of activity'],
  assets: ['asset', 'assets'],
  archives: ['archive', 'archives'],
  restores: ['restore', 'restores'],
  jobs: ['job', 'jobs'],
  uploads: ['upload', 'uploads'],
  accepted_signers: ['accepted signer', 'accepted signers'],
  exports: ['export before', 'exports before'],
  erasures: ['erasure', 'erasures'],
};

/** "1 profile, 3 sessions, 412 entries of activity". */
export function sectionsText(values: Record<string, number>): string {
  return Object.entries(values)
    .filter(([, value]) => value > 0)
    .map(([name, value]) => {
      const words = sections[name];
      return words ? counted(value, ...words) : `${count(value)} ${title(name).toLowerCase()}`;
    })
    .join(', ');
}
