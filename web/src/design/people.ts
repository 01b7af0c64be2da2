// How people are called where their names are shown.

export const erasedName = 'Erased user';

interface Actor {
  name?: string | null;
  email?: string | null;
  id?: string | null;
}

/** Of an erased person the audit log keeps a tombstone, the same in all of their entries. */
export function isTombstone(text: string | null | undefined): boolean {
  return /^redacted-[0-9a-f]+$/.test(text ?? '');
}

export function actorName({ name, email, id }: Actor): string {
  const known = name || email;
  if (known) return isTombstone(known) ? erasedName : known;
  return id ? erasedName : 'Somebody unknown'; // a sign-in that failed is of nobody
}
