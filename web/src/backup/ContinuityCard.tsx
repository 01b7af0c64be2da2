// What continuous backup can bring back, and what is wrong with it, in people's words.
import {
  Alert,
  Button,
  Card,
  CardBody,
  CardHeader,
  CardTitle,
  DescriptionList,
  DescriptionListDescription,
  DescriptionListGroup,
  DescriptionListTerm,
  Label,
  type LabelProps,
} from '@patternfly/react-core';
import { useNavigate } from 'react-router-dom';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { ago, counted, duration, moment } from '../design/format';
import { alarmWords, lossText, useContinuity, type Continuity } from './continuity';

const states: Record<Continuity['state'], { text: string; status: LabelProps['status'] }> = {
  on: { text: 'On', status: 'success' },
  starting: { text: 'Starting: the first backup is being made', status: 'info' },
  'at-risk': { text: 'At risk', status: 'warning' },
  off: { text: 'Off', status: 'danger' },
};

export function ContinuityCard() {
  const me = useMe();
  const navigate = useNavigate();
  const continuity = useContinuity();
  const { data } = continuity;
  const restorable = me.owner && data?.earliest != null;
  return (
    <Card>
      <CardHeader
        className="oa-card-header"
        actions={
          restorable
            ? {
                actions: <Button onClick={() => navigate('/settings/backup/moment')}>Restore from a moment…</Button>,
                hasNoOffset: true,
              }
            : undefined
        }
      >
        <CardTitle component="h2">
          <span className="oa-row">
            Continuous backup
            {data && <Label status={states[data.state].status}>{states[data.state].text}</Label>}
          </span>
        </CardTitle>
      </CardHeader>
      <CardBody className="oa-stack">
        <ErrorNotice
          error={continuity.data ? null : continuity.error}
          doing="The state of continuous backup cannot be shown"
          onRetry={() => void continuity.refetch()}
        />
        {!data && !continuity.error && <Loading what="the state of continuous backup" lines={3} />}
        {data && <Alarms continuity={data} />}
        {data && data.state !== 'off' && <Facts continuity={data} />}
      </CardBody>
    </Card>
  );
}

function Alarms({ continuity }: { continuity: Continuity }) {
  return continuity.alarms.map((alarm) => {
    const { what, means } = alarmWords(alarm);
    return (
      <Alert
        key={alarm.code}
        variant={alarm.severity === 'critical' ? 'danger' : 'warning'}
        isInline
        component="h3"
        title={what}
      >
        <p>{means} Whoever runs this service can mend it.</p>
        <p className="oa-small">
          <code>{alarm.code}</code>: {alarm.message}
        </p>
      </Alert>
    );
  });
}

function Facts({ continuity }: { continuity: Continuity }) {
  const { earliest, rpo_seconds: loss, worst_rpo_seconds: worst, last_verified_restore: proof } = continuity;
  const rto = continuity.expected_rto_seconds;
  const facts: [string, string, string?][] = [
    [
      'You can go back to',
      earliest ? `any second since ${moment(earliest)}` : 'nothing yet: the first full copy is being made',
      `your plan keeps ${counted(continuity.window_days, 'day')}`,
    ],
    [
      'Lost, if the server broke now',
      loss === null ? 'not known yet' : lossText(loss),
      worst === null ? undefined : `at the worst moment of the last day: ${lossText(worst)}`,
    ],
    [
      'Proven by a restore',
      proof ? ago(proof.at) : 'not yet',
      proof ? `everything was restored aside and checked, in ${duration(proof.seconds)}` : undefined,
    ],
  ];
  if (rto !== null) facts.push(['A restore of everything takes', `about ${duration(rto)}`]);
  return (
    <DescriptionList isHorizontal isCompact horizontalTermWidthModifier={{ default: '7rem', lg: '15rem' }}>
      {facts.map(([term, text, more]) => (
        <DescriptionListGroup key={term}>
          <DescriptionListTerm>{term}</DescriptionListTerm>
          <DescriptionListDescription>
            {text}
            {more && <div className="oa-small">{more}</div>}
          </DescriptionListDescription>
        </DescriptionListGroup>
      ))}
    </DescriptionList>
  );
}
