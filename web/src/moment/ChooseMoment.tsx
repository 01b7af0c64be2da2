import { Alert, AlertActionLink, Button, Card, CardBody, Checkbox } from '@patternfly/react-core';
import { useState, type ReactNode } from 'react';
import { useMe } from '../api/me';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { count, exact } from '../design/format';
import { useNow } from '../design/now';
import { EventList } from './EventList';
import { MomentFields } from './MomentFields';
import type { Wanted } from './MomentPage';
import { TimeLine } from './TimeLine';
import { ViewControls } from './ViewControls';
import { sentenceOf } from './event_words';
import { useEvents, type Show } from './events';
import { useNames } from './names';
import { useView } from './view';

interface Props {
  earliest: string;
  at: string | null;
  resource: string | null; // only what happened to this
  busy: boolean;
  problem: ReactNode;
  onChoose: (at: string) => void;
  onEverything: () => void;
  onStart: (wanted: Wanted) => void;
}

export function ChooseMoment({ earliest, at, resource, busy, problem, onChoose, onEverything, onStart }: Props) {
  const me = useMe();
  const names = useNames();
  const now = useNow(15_000, true);
  const first = new Date(earliest).getTime();
  const view = useView(resource ? 'all' : 'day', first, now);
  const [show, setShow] = useState<Show>('changes');
  const [rows, setRows] = useState(true);
  const list = useEvents(view, show, resource);
  const { events } = list;
  const picked = events.find(({ ts }) => ts === at);
  const time = at ? new Date(at).getTime() : null;
  const fault = time === null ? null : faultOf(time, first, now);
  const chooseTime = (chosen: number) => onChoose(new Date(chosen).toISOString());
  return (
    <>
      <Card>
        <CardBody className="oa-stack">
          <ViewControls view={view} drawn={list.more.has ? count(events.length) : null} />
          <TimeLine
            span={view.span}
            events={events}
            names={names}
            chosen={time}
            onPick={(event) => onChoose(event.ts)}
            onTime={(chosen) => chooseTime(Math.min(chosen, now))}
            onCloser={view.closer}
          />
        </CardBody>
      </Card>
      <Card>
        <CardBody className="oa-stack">
          <MomentFields
            show={show}
            time={time}
            earliest={first}
            now={now}
            fault={fault}
            onShow={setShow}
            onTime={chooseTime}
          />
          {resource && (
            <Alert
              variant="info"
              isInline
              component="p"
              title="Only what happened to one thing is shown."
              actionLinks={<AlertActionLink onClick={onEverything}>Show everything</AlertActionLink>}
            />
          )}
          <ErrorNotice error={list.error} onRetry={() => void list.refetch()} />
          {!list.rows && !list.error && <Loading what="what happened" />}
          {list.rows && events.length === 0 && (
            <p role="status">
              Nothing of this kind happened in the time that is shown. Look at more time, or type one.
            </p>
          )}
          {events.length > 0 && (
            <EventList events={events} names={names} chosen={at} onPick={(event) => onChoose(event.ts)}>
              {list.more.has && (
                <div className="oa-more">
                  <Button variant="secondary" isLoading={list.more.loading} onClick={list.more.load}>
                    Show more
                  </Button>
                  <span className="oa-small">older ones of the time that is shown</span>
                </div>
              )}
            </EventList>
          )}
        </CardBody>
      </Card>
      <Checkbox
        id="moment-rows"
        label="With the rows of imported datasets"
        description="Without them it is faster; a dataset that comes back has to be refreshed then."
        isChecked={rows}
        isDisabled={busy}
        onChange={(_event, on) => setRows(on)}
      />
      {problem}
      <div className="oa-bar" role="region" aria-label="The moment">
        <div aria-live="polite">
          <strong>
            {time === null ? 'No moment is chosen yet.' : `${me.tenant.name} as it was on ${exact(time)}`}
          </strong>
          <div className="oa-small">
            {time === null && 'Choose a mark, or type a time.'}
            {picked && `just before ${sentenceOf(picked, names)}`}
          </div>
        </div>
        <Button
          isDisabled={busy || at === null || fault !== null}
          isLoading={busy}
          onClick={() => at && onStart({ at, rows })}
        >
          See what {me.tenant.name} had then
        </Button>
      </div>
    </>
  );
}

function faultOf(time: number, first: number, now: number): string | null {
  if (time < first) return `That is before the earliest moment, ${exact(first)}.`;
  return time > now + 60_000 ? 'That is in the future.' : null;
}
