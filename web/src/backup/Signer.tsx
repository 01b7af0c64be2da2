import type { Archive } from './archive';
import { grouped } from '../design/format';

export function Signer({ archive, whole = false }: { archive: Archive; whole?: boolean }) {
  const fingerprint = whole ? grouped(archive.signer) : `${grouped(archive.signer.slice(0, 8))} …`;
  return (
    <span title={grouped(archive.signer)}>
      {archive.own_signer ? 'Your organisation' : 'Another signer'}
      <div className="oa-hash">{fingerprint}</div>
    </span>
  );
}
