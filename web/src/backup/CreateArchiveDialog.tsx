// What goes into a new archive. Rows are off: they make most of its size, and a dataset can read them again.
import {
  Button,
  Checkbox,
  Form,
  FormGroup,
  Modal,
  ModalBody,
  ModalFooter,
  ModalHeader,
  Radio,
} from '@patternfly/react-core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import type { Job } from '../api/jobs';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { bytes, counted } from '../design/format';

type Estimate = Schema['Estimate'];
type Body = { rows: boolean; audit: boolean; workspace_ids: string[] };

interface Props {
  onBegun: (job: Job) => void;
  onClose: () => void;
}

export function CreateArchiveDialog({ onBegun, onClose }: Props) {
  const me = useMe();
  const [rows, setRows] = useState(false);
  const [audit, setAudit] = useState(false);
  const [all, setAll] = useState(me.owner);
  const estimate = useQuery({
    queryKey: ['archives', 'estimate'],
    queryFn: () => answer(api.GET('/v1/archives/estimate')),
  });
  const create = useAction(
    (body: Body, header) => answer(api.POST('/v1/archives', { params: { header }, body })),
    onBegun,
  );
  const workspaces = estimate.data?.workspaces ?? [];
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set()); // out
  const included = all ? workspaces : workspaces.filter(({ id }) => !left.has(id));
  const rowBytes = included.reduce((sum, workspace) => sum + workspace.rows_bytes, 0);
  const ready = !create.isPending && (all || included.length > 0);
  const submit = () => {
    if (ready) create.mutate({ rows, audit: audit && all, workspace_ids: all ? [] : included.map(({ id }) => id) });
  };
  const toggle = (id: string, on: boolean) => {
    const next = new Set(left);
    if (on) next.delete(id);
    else next.add(id);
    setLeft(next);
  };
  return (
    <Modal variant="medium" isOpen onClose={onClose} aria-labelledby="create-title">
      <ModalHeader
        title={`Create an archive of ${me.tenant.name}`}
        labelId="create-title"
        description="It is made in the background: you can leave this page."
      />
      <ModalBody>
        <Form
          id="create-archive"
          onSubmit={(event) => {
            event.preventDefault();
            submit();
          }}
        >
          <ErrorNotice
            error={estimate.error}
            doing="The sizes cannot be shown"
            onRetry={() => void estimate.refetch()}
          />
          {me.owner && (
            <FormGroup role="radiogroup" label="Workspaces" fieldId="create-workspaces">
              <Radio
                id="create-all"
                name="create-workspaces"
                label={`All${summary(workspaces)}`}
                isChecked={all}
                onChange={() => setAll(true)}
              />
              <Radio
                id="create-some"
                name="create-workspaces"
                label="Only some"
                isChecked={!all}
                onChange={() => {
                  setAll(false);
                  setAudit(false);
                }}
              />
            </FormGroup>
          )}
          {!all && (
            <FormGroup role="group" label={me.owner ? 'Which' : 'Workspaces'} fieldId="create-which">
              {!estimate.data && !estimate.error && <Loading what="the workspaces" lines={2} />}
              {workspaces.map((workspace) => (
                <Checkbox
                  key={workspace.id}
                  id={`create-${workspace.id}`}
                  label={workspace.name}
                  description={summary([workspace]).replace(': ', '')}
                  isChecked={!left.has(workspace.id)}
                  onChange={(_event, on) => toggle(workspace.id, on)}
                />
              ))}
            </FormGroup>
          )}
          <FormGroup role="group" label="Also" fieldId="create-also">
            <Checkbox
              id="create-rows"
              label={`Rows of imported datasets${estimate.data ? ` (adds about ${bytes(rowBytes)})` : ''}`}
              description="Without them a restored dataset has to be refreshed from its source."
              isChecked={rows}
              onChange={(_event, on) => setRows(on)}
            />
            {me.owner && (
              <Checkbox
                id="create-audit"
                label={`Audit log${estimate.data?.audit_events != null ? ` (${counted(estimate.data.audit_events, 'event')})` : ''}`}
                description={all ? 'For keeping; it is not restored.' : 'Only in an archive of all workspaces.'}
                isChecked={audit}
                isDisabled={!all}
                onChange={(_event, on) => setAudit(on)}
              />
            )}
          </FormGroup>
          <ErrorNotice error={create.error} doing="The archive is not being made" />
        </Form>
      </ModalBody>
      <ModalFooter>
        <Button type="submit" form="create-archive" isDisabled={!ready} isLoading={create.isPending}>
          Create archive
        </Button>
        <Button variant="link" onClick={onClose}>
          Cancel
        </Button>
      </ModalFooter>
    </Modal>
  );
}

function summary(workspaces: Estimate['workspaces']): string {
  if (workspaces.length === 0) return '';
  const sum = (key: 'reports' | 'datasets' | 'alerts') =>
    workspaces.reduce((total, workspace) => total + workspace[key], 0);
  return `: ${counted(sum('reports'), 'report')}, ${counted(sum('datasets'), 'dataset')}, ${counted(sum('alerts'), 'alert')}`;
}
