// What an entry of the audit log says, as a sentence.
import type { Schema } from '../api/client';
import { title } from '../design/format';
import { actorName } from '../design/people';

export type Event = Schema['AuditEvent'];

const verbs: Record<string, string> = {
  'report.create': 'created the report',
  'report.update': 'changed the report',
  'report.delete': 'deleted the report',
  'report.view': 'opened the report',
  'dataset.create': 'created the dataset',
  'dataset.update': 'changed the model of the dataset',
  'dataset.upload': 'uploaded new rows for the dataset',
  'dataset.refresh.success': 'refreshed the dataset',
  'dataset.refresh.failure': 'tried to refresh the dataset',
  'dataset.pause': 'paused the dataset',
  'dataset.resume': 'resumed the dataset',
  'sharing.grant.create': 'shared the report',
  'sharing.grant.remove': 'stopped sharing the report',
  'admin.secret.create': 'entered the credentials',
  'admin.secret.rotate': 'changed the credentials',
  'admin.secret.delete': 'removed the credentials',
};

const whole: Record<string, string> = {
  'backup.restore.apply': 'restored from an archive',
  'backup.restore.undo': 'took a restore back',
  'backup.archive.create': 'made an archive',
  'backup.archive.delete': 'deleted an archive',
  'admin.token.create': 'made an API token',
  'admin.token.revoke': 'revoked an API token',
  'admin.setting.change': 'changed the settings of backups',
  'admin.secret.rewrap': 'sealed the credentials anew',
  'user.create': 'added a person',
  'user.update': 'changed a person',
  'user.role.change': 'changed what somebody may do',
  'user.password.change': 'changed a password',
  'auth.login.success': 'signed in',
  'auth.login.failure': 'could not sign in',
  'auth.logout': 'signed out',
  'tenant.create': 'set the organisation up',
  'key.disable': 'disabled the key of the organisation',
  'key.enable': 'enabled the key of the organisation',
  'key.rotate': 'renewed the key of the organisation',
  'tenant.shred.schedule': 'set when the organisation is destroyed',
  'tenant.shred.cancel': 'took the destruction of the organisation back',
  'demo.tenant.create': 'set the demo up',
};

export function who(event: Event): string {
  if (event.actor.type === 'operator') return 'The operator';
  if (event.actor.type === 'system') return 'The service';
  return actorName(event.actor);
}

/** What happened, without who did it: "deleted the report “Sales”". `names` are those of what is here now. */
export function deed(event: Event, names: ReadonlyMap<string, string>): string {
  const all = whole[event.action];
  if (all) return all;
  const verb = verbs[event.action];
  if (!verb) return `${title(event.action).toLowerCase()} (${event.resource.type})`;
  const told = (event.detail as Record<string, unknown>)['name'];
  const name = typeof told === 'string' ? told : names.get(event.resource.id);
  return name ? `${verb} “${name}”` : verb;
}

export function sentenceOf(event: Event, names: ReadonlyMap<string, string>): string {
  return `${who(event)} ${deed(event, names)}`;
}

/** Something is gone since: what a person who comes here most likely looks for. */
export function takesAway(event: Event): boolean {
  return /\.(delete|remove)$/.test(event.action) && !event.action.startsWith('backup.');
}
