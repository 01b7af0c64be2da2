// What an error means to the person in front of the page, and what to do next. The code and the trace id are
// shown beside it, small; the server's own detail follows where it names the thing that is wrong.

export interface Words {
  what: string;
  todo: string;
  /** Whether the server's sentence says more than ours. */
  detail?: boolean;
  /** Whether the server's hint is for whoever runs the service, so that what is to do here stands instead. */
  ours?: boolean;
}

const archiveDamaged = 'Use another copy of the archive: ask whoever gave it to you, or pick one from the list.';
const operator = 'Tell whoever runs this service, with the trace id below.';

const words: Record<string, Words> = {
  'network/no-answer': {
    what: 'The server does not answer.',
    todo: 'Check your connection and try again. Nothing that is running stops because of this.',
  },
  'page/unexpected': { what: 'Something went wrong on this page.', todo: 'Reload it and try again.', detail: true },
  'request/invalid': { what: 'Something in this is not valid.', todo: 'Correct it and try again.', detail: true },
  'request/limit-exceeded': {
    what: 'That is more than is allowed at once.',
    todo: 'Select less, or do it in parts.',
    detail: true,
  },
  'request/unsupported': { what: 'This cannot be done with this.', todo: 'Choose another way.', detail: true },
  'request/cancelled': { what: 'It was cancelled. Nothing was changed.', todo: 'Start it again when you are ready.' },
  'request/rate-limited': { what: 'Too many requests at once.', todo: 'Wait a moment, then try again.', detail: true },
  'request/timeout': { what: 'This took too long and was given up.', todo: 'Try again in a moment.' },
  'request/idempotency-key-reused': {
    what: 'This was asked before in another way.',
    todo: 'Reload the page and try again.',
  },
  'request/headers-too-large': {
    what: 'The browser sent more than is allowed.',
    todo: 'Delete the cookies of this site, then sign in again.',
  },
  'request/unsupported-media-type': {
    what: 'The server does not take this kind of file.',
    todo: 'Choose a file that ends in .oa-archive.',
  },
  'request/method-not-allowed': { what: 'This page is out of date.', todo: 'Reload it and try again.' },
  'request/range-not-satisfiable': {
    what: 'The download cannot go on where it stopped.',
    todo: 'Start the download again.',
  },
  'resource/not-found': { what: 'This is not here.', todo: 'It may have been deleted, or it is not yours to see.' },
  'resource/already-exists': { what: 'There is one of that name already.', todo: 'Choose another name.', detail: true },
  'resource/conflict': {
    what: 'This is not possible right now.',
    todo: 'Reload the page to see what changed.',
    detail: true,
  },
  'resource/precondition-failed': {
    what: 'Something changed since you looked at it.',
    todo: 'Look at the plan again; nothing has been changed yet.',
    detail: true,
  },
  'resource/gone': { what: 'This was here and has been removed.', todo: 'Go back to the list.', detail: true },
  'resource/busy': {
    what: 'Something else is being done with this right now.',
    todo: 'Wait until it is done, then try again.',
    detail: true,
  },
  'auth/missing-token': { what: 'You are not signed in.', todo: 'Sign in to go on.' },
  'auth/invalid-token': { what: 'You have been signed out.', todo: 'Sign in again to go on.' },
  'auth/expired-token': {
    what: 'You were signed in for a long time, so you have been signed out.',
    todo: 'Sign in again to go on.',
  },
  'auth/scope-denied': {
    what: 'This is not allowed with this token.',
    todo: 'Use one with the scope that is named.',
    detail: true,
  },
  'auth/permission-denied': {
    what: 'You may not do this.',
    todo: 'Ask an Owner of your organisation, or an Admin of the workspace.',
    detail: true,
  },
  'auth/tenant-mismatch': { what: 'This belongs to another organisation.', todo: 'Sign in there.' },
  'auth/sign-in-refused': {
    what: 'The organisation, the e-mail address or the password is wrong.',
    todo: 'Check all three and try again.',
  },
  'auth/locked-out': { what: 'Too many attempts to sign in.', todo: 'Wait a little, then try again.' },
  'auth/forged-request': { what: 'This page is out of date.', todo: 'Reload it and try again.' },
  'tenant/quota-exceeded': {
    what: 'Your plan does not allow that much.',
    todo: 'Delete something that is not needed, or ask for a larger plan.',
    detail: true,
  },
  'archive/malformed': {
    what: 'This file is not an archive of OneAnalytics.',
    todo: 'Choose a file that ends in .oa-archive.',
    detail: true,
  },
  'archive/truncated': {
    what: 'The archive ends too early: part of it is missing.',
    todo: 'Copy or download it again, completely.',
  },
  'archive/content-mismatch': {
    what: 'The archive was changed after it was signed, or is damaged. Nothing was read from it.',
    todo: archiveDamaged,
    detail: true,
  },
  'archive/entry-missing': {
    what: 'Something that was signed is missing from the archive.',
    todo: archiveDamaged,
    detail: true,
  },
  'archive/entry-unlisted': {
    what: 'Something was added to the archive after it was signed.',
    todo: archiveDamaged,
    detail: true,
  },
  'archive/signature-invalid': { what: 'The signature of the archive is wrong.', todo: archiveDamaged },
  'archive/untrusted-signer': {
    what: 'The archive was signed by a key that is not accepted here.',
    todo: 'If you know whose key it is, accept it in Settings → Keys, then try again.',
    detail: true,
  },
  'archive/version-unsupported': {
    what: 'The archive was made by a newer version.',
    todo: 'Restore it there, or have this service updated.',
  },
  'archive/limit': { what: 'The archive is larger than what can be read here.', todo: operator, detail: true },
  'storage/seal-corrupt': { what: 'Something that is stored here is damaged.', todo: operator },
  'storage/full': { what: 'There is no room left to store this.', todo: operator },
  'object_store/unavailable': {
    what: 'The storage cannot be reached.',
    todo: 'Try again in a moment. If it stays, tell whoever runs this service.',
  },
  'object_store/drift': { what: 'The storage is not set up as it has to be.', todo: operator },
  'deployment/promise-broken': { what: 'This service is not set up as it has to be.', todo: operator },
  'storage/io': {
    what: 'Reading or writing failed.',
    todo: 'Try again in a moment. If it stays, tell whoever runs this service.',
  },
  'key/store-missing': { what: 'The keys of your organisation cannot be reached.', todo: operator },
  'key/service-unavailable': {
    what: 'The keys of your organisation cannot be reached.',
    todo: 'Try again in a moment. If it stays, tell whoever runs this service.',
  },
  'key/service-refused': { what: 'The keys of your organisation cannot be reached.', todo: operator },
  'key/wrong': { what: 'The key does not fit.', todo: operator },
  'key/disabled': { what: 'The key of your organisation is disabled.', todo: operator },
  'key/destroyed': {
    what: 'The key of your organisation was destroyed, and with it what it protected.',
    todo: 'This cannot be brought back.',
  },
  'import/rejected': {
    what: 'The file has rows that cannot be imported.',
    todo: 'Correct them in the file and try again.',
    detail: true,
  },
  'model/invalid': {
    what: 'The semantic model does not fit its rows.',
    todo: 'Correct the model of the dataset.',
    detail: true,
  },
  'query/invalid-semantic': {
    what: 'This asks for something that the dataset does not have.',
    todo: 'Change the visual or the filter.',
    detail: true,
  },
  'query/timeout': { what: 'The answer took too long.', todo: 'Filter for less, then try again.' },
  'query/too-many-rows': { what: 'The answer has too many rows.', todo: 'Filter for less.' },
  'pagination/cursor-expired': { what: 'This list is too old to go on.', todo: 'Reload the page.' },
  'pagination/cursor-mismatch': { what: 'This list changed.', todo: 'Reload the page.' },
  'dataset/not-refreshed': { what: 'The dataset has no rows yet.', todo: 'Refresh the dataset.' },
  'dataset/refresh-in-progress': { what: 'The dataset is being refreshed.', todo: 'Wait until it is done.' },
  'dataset/paused': { what: 'The dataset is paused.', todo: 'Resume it first.' },
  'source/unreachable': {
    what: 'The source of the dataset cannot be reached.',
    todo: 'Check that it is running, then try again.',
    detail: true,
  },
  'source/refused': {
    what: 'The source of the dataset refuses the credentials.',
    todo: 'Enter its credentials again.',
    detail: true,
  },
  'upload/offset-conflict': {
    what: 'Another window is uploading the same file.',
    todo: 'Close the other one, then go on.',
  },
  'upload/in-use': {
    what: 'Another window is uploading this file right now.',
    todo: 'Wait until it is done, then go on.',
  },
  'upload/checksum-mismatch': {
    what: 'A part of the file was damaged on its way.',
    todo: 'Go on with the upload: that part is sent again.',
  },
  'backup/outside-window': {
    what: 'That moment cannot be gone back to.',
    todo: 'Choose one within the time that your plan keeps.',
    detail: true,
  },
  'backup/wal-missing': {
    what: 'A piece of the record of changes that leads to that moment is missing.',
    todo: 'Choose an earlier moment, or one after the next full copy. Tell whoever runs this service.',
    ours: true,
  },
  'backup/recovery-failed': {
    what: 'The copy of that moment did not come up as it should. Nothing was changed here.',
    todo: 'Try again, or choose another moment. If it stays, tell whoever runs this service.',
    ours: true,
  },
  'backup/repository-damaged': {
    what: 'The store of backups is damaged. What you have here is not touched.',
    todo: 'Make an archive now, and tell whoever runs this service.',
    ours: true,
  },
  'backup/repository-unavailable': {
    what: 'The store of backups cannot be reached.',
    todo: 'Try again in a moment. If it stays, tell whoever runs this service.',
    ours: true,
  },
  'privacy/erased': { what: 'This person was erased, for good.', todo: 'There is nothing left of them to work with.' },
  'privacy/last-owner': {
    what: 'This is the last Owner of your organisation who can sign in. They cannot be erased.',
    todo: 'Let somebody else become an Owner first.',
  },
  'privacy/replay-pending': {
    what: 'The service is being brought up to date after a restore.',
    todo: 'This takes a moment. Try again then.',
    ours: true,
  },
  'privacy/ledger-broken': {
    what: 'The record of who was erased cannot be read, so that nobody is let in.',
    todo: operator,
    ours: true,
  },
  'audit/chain-broken': {
    what: 'The audit log was changed outside of this service.',
    todo: 'Keep everything as it is and tell whoever runs this service.',
    ours: true,
    detail: true,
  },
  'service/overloaded': { what: 'The service is busy or is being restarted.', todo: 'Try again in a moment.' },
  'database/unavailable': {
    what: 'The service cannot reach its database.',
    todo: 'Try again in a moment. If it stays, tell whoever runs this service.',
  },
  'database/error': { what: 'The service failed.', todo: operator },
  internal: { what: 'The service failed.', todo: operator },
};

const byStatus: [number, Words][] = [
  [429, { what: 'Too many requests in a short time.', todo: 'Wait a moment, then try again.' }],
  [503, { what: 'The service is busy or is being restarted.', todo: 'Try again in a moment.' }],
  [
    500,
    {
      what: 'The service failed.',
      todo: 'Try again. If it stays, ' + operator.charAt(0).toLowerCase() + operator.slice(1),
    },
  ],
];

export function wordsFor(code: string, status: number): Words {
  const known = words[code];
  if (known) return known;
  const general = byStatus.find(([value]) => value === status)?.[1];
  if (general) return general;
  return { what: 'This did not work.', todo: status >= 500 ? operator : 'Change it and try again.', detail: true };
}
