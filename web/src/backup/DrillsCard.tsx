// Whether the organisation takes part in recovery drills, and what came of those of its archives.
import { Alert, Card, CardBody, CardTitle, Content, Switch } from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { RecordTable } from '../design/RecordTable';
import { duration, moment } from '../design/format';
import { outcomeWords } from '../trust/words';

type Drills = Schema['Drills'];

const key = ['backup', 'drills'];

export function DrillsCard() {
  const drills = useQuery({ queryKey: key, queryFn: () => answer(api.GET('/v1/backup/drills')) });
  return (
    <Card>
      <CardTitle component="h2">Recovery drills</CardTitle>
      <CardBody>
        <ErrorNotice error={drills.error} onRetry={() => void drills.refetch()} />
        {!drills.data && !drills.error && <Loading what="recovery drills" lines={2} />}
        {drills.data && <Consent drills={drills.data} />}
      </CardBody>
    </Card>
  );
}

function Consent({ drills }: { drills: Drills }) {
  const client = useQueryClient();
  const save = useAction(
    (takesPart: boolean) => answer(api.PUT('/v1/backup/drills', { body: { takes_part: takesPart } })),
    (saved) => client.setQueryData(key, saved),
  );
  const who = drills.changed_by?.name ?? 'The operator';
  return (
    <div className="oa-stack">
      <Content component="p">
        Each quarter a recent archive is restored into a recovery tenant of its own, used as people use it, compared
        and destroyed. Nothing here changes, and nobody sees your data. What came of it is in the{' '}
        <Link to="/trust">trust report</Link>, without your name.
      </Content>
      <Switch
        id="drills-takes-part"
        label="Take part in recovery drills"
        isChecked={drills.takes_part}
        isDisabled={save.isPending}
        onChange={(_event, checked) => save.mutate(checked)}
      />
      {drills.changed_at && (
        <Content component="small">
          {who} {drills.takes_part ? 'agreed' : 'declined'} on {moment(drills.changed_at)}
        </Content>
      )}
      <ErrorNotice error={save.error} doing="It is not changed" />
      {save.isSuccess && <Alert variant="success" isInline isPlain isLiveRegion component="p" title="Saved" />}
      {drills.drills.length > 0 && (
        <RecordTable
          label="Recovery drills"
          rows={drills.drills}
          keyOf={(drill) => drill.id}
          columns={[
            { title: 'Started', cell: (drill) => moment(drill.started_at), short: true },
            { title: 'Outcome', cell: (drill) => outcomeWords[drill.state] },
            {
              title: 'Recovered in',
              numeric: true,
              cell: (drill) => (drill.recovery_seconds === null ? '–' : duration(drill.recovery_seconds)),
            },
          ]}
        />
      )}
    </div>
  );
}
