import { Button, Modal, ModalBody, ModalFooter, ModalHeader } from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { answer, api, type Schema } from '../api/client';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { count } from '../design/format';
import type { PlanItem } from './words';

type Differences = Schema['Differences'];
type Change = Schema['FieldChange'];

export function DifferencesButton({ restoreId, item }: { restoreId: string; item: PlanItem }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button variant="link" size="sm" onClick={() => setOpen(true)} aria-label={`Differences of ${item.name}`}>
        Differences
      </Button>
      {open && <DifferencesDialog restoreId={restoreId} item={item} onClose={() => setOpen(false)} />}
    </>
  );
}

function DifferencesDialog({ restoreId, item, onClose }: { restoreId: string; item: PlanItem; onClose: () => void }) {
  const query = useQuery({
    queryKey: ['restores', restoreId, 'differences', item.kind, item.id],
    queryFn: () =>
      answer(
        api.GET('/v1/restores/{restore_id}/items/{kind}/{asset_id}/differences', {
          params: { path: { restore_id: restoreId, kind: item.kind, asset_id: item.id } },
        }),
      ),
  });
  return (
    <Modal variant="large" isOpen onClose={onClose} aria-labelledby="differences-title">
      <ModalHeader
        title={`What changes in “${item.name}”`}
        labelId="differences-title"
        description="Red is here now and goes; green is from the archive."
      />
      <ModalBody tabIndex={0} role="region" aria-label="Differences">
        <ErrorNotice error={query.error} onRetry={() => void query.refetch()} />
        {!query.data && !query.error && <Loading what="the differences" />}
        {query.data && <Details differences={query.data} />}
      </ModalBody>
      <ModalFooter>
        <Button onClick={onClose}>Close</Button>
      </ModalFooter>
    </Modal>
  );
}

function Details({ differences: { fields, model, rows } }: { differences: Differences }) {
  return (
    <div className="oa-stack">
      {fields.length > 0 && <Changes changes={fields} caption="Fields" />}
      {model && (
        <section aria-label="Semantic model">
          <h2>Semantic model</h2>
          <pre className="oa-diff">
            {model.split('\n').map((line, index) => (
              <Line key={index} line={line} />
            ))}
          </pre>
        </section>
      )}
      {rows && (
        <section aria-label="Rows">
          <h2>
            Rows: {count(rows.before)} now, {count(rows.after)} in the archive
          </h2>
          {rows.columns.length > 0 && <Changes changes={rows.columns} caption="Columns" />}
        </section>
      )}
      {fields.length === 0 && !model && !rows && <p>Nothing that can be shown field by field.</p>}
    </div>
  );
}

function Line({ line }: { line: string }) {
  if (line.startsWith('+') && !line.startsWith('+++')) return <ins>{line}</ins>;
  if (line.startsWith('-') && !line.startsWith('---')) return <del>{line}</del>;
  return <span>{`${line}\n`}</span>;
}

function Changes({ changes, caption }: { changes: Change[]; caption: string }) {
  return (
    <section aria-label={caption}>
      <h2>{caption}</h2>
      <dl className="oa-changes">
        {changes.map(({ path, change, before, after }, index) => (
          <div key={index}>
            <dt>
              <code>{path}</code> <span className="oa-small">{change}</span>
            </dt>
            <dd className="oa-diff">
              {before !== undefined && <del>{before}</del>}
              {after !== undefined && <ins>{after}</ins>}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
