import type { Job } from '../api/jobs';

const titles: Record<Job['kind'], string> = {
  'archive.create': 'Creating the archive',
  'archive.moment': 'Bringing that moment back beside what is here',
  'archive.receive': 'Verifying the uploaded archive',
  'archive.verify': 'Verifying the archive',
  'restore.compare': 'Comparing the archive with what is here',
  'restore.plan': 'Planning the restore',
  'restore.apply': 'Restoring',
  'restore.undo': 'Planning the undo',
  'dataset.refresh': 'Refreshing the dataset',
  'audit.verify': 'Checking the audit log',
  'keys.rewrap': 'Renewing the encryption keys',
  'privacy.export': 'Collecting the data',
  'privacy.erase': 'Erasing the person',
};

const doneTitles: Partial<Record<Job['kind'], string>> = {
  'archive.create': 'The archive is made',
  'archive.moment': 'The archive of that moment is made',
  'archive.receive': 'The uploaded file was checked',
  'archive.verify': 'Every byte of the archive was checked',
};

export function doneTitleOf(job: Job): string {
  return doneTitles[job.kind] ?? 'Done';
}

export function titleOf(job: Job): string {
  return titles[job.kind] ?? 'Working';
}

export function stepText(step: string): string {
  return step.replaceAll(/[-_.]/g, ' ');
}
