// What happened, newest first: the same moments as the drawing has, one button each.
import { Button } from '@patternfly/react-core';
import type { ReactNode } from 'react';
import { exact } from '../design/format';
import { sentenceOf, takesAway, type Event } from './event_words';

interface Props {
  events: Event[];
  names: ReadonlyMap<string, string>;
  chosen: string | null;
  onPick: (event: Event) => void;
  children?: ReactNode;
}

export function EventList({ events, names, chosen, onPick, children }: Props) {
  return (
    <div className="oa-events" role="region" aria-label="What happened" tabIndex={0}>
      <ul>
        {events.map((event) => (
          <li key={event.id} className={event.ts === chosen ? 'oa-picked' : undefined}>
            <time dateTime={event.ts} className="oa-small">
              {exact(event.ts)}
            </time>
            <span className={takesAway(event) ? 'oa-lost-text' : undefined}>{sentenceOf(event, names)}</span>
            <Button
              variant={takesAway(event) ? 'secondary' : 'link'}
              size="sm"
              aria-pressed={event.ts === chosen}
              aria-label={`Just before this: ${sentenceOf(event, names)}, ${exact(event.ts)}`}
              onClick={() => onPick(event)}
            >
              Just before this
            </Button>
          </li>
        ))}
      </ul>
      {children}
    </div>
  );
}
