// The drawing: a line of time with what happened as marks. It is for the mouse; the list below it does the same
// for everybody, so that it is hidden from screen readers.
import { useEffect, useRef, useState } from 'react';
import { counted } from '../design/format';
import { sentenceOf, takesAway, type Event } from './event_words';
import { closer, marksOf, pickOf, placeOf, ticksOf, type Mark, type Span } from './span';

const markPixels = 18;
const tickPixels = 92;

interface Props {
  span: Span;
  events: Event[];
  names: ReadonlyMap<string, string>;
  chosen: number | null;
  onPick: (event: Event) => void;
  onTime: (time: number) => void;
  onCloser: (span: Span) => void;
}

export function TimeLine({ span, events, names, chosen, onPick, onTime, onCloser }: Props) {
  const track = useRef<HTMLDivElement>(null);
  const width = useWidth(track);
  const marks = marksOf(events, span, markPixels / width);
  const { times, step } = ticksOf(span, Math.max(2, Math.floor(width / tickPixels)));
  const place = chosen === null ? null : placeOf(chosen, span);
  const pick = (mark: Mark<Event>) => {
    const event = pickOf(mark, takesAway);
    if (event) return onPick(event);
    const near = closer(mark, span);
    return near ? onCloser(near) : onPick(mark.events[0] as Event);
  };
  return (
    <div aria-hidden className="oa-time">
      <div
        ref={track}
        className="oa-track"
        onClick={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const part = Math.min(1, Math.max(0, (event.clientX - box.left) / box.width));
          onTime(Math.round((span.from + part * (span.to - span.from)) / 1000) * 1000);
        }}
      >
        {times.map((time) => (
          <span key={time} className="oa-tick" style={{ insetInlineStart: `${placeOf(time, span) * 100}%` }}>
            <span>{tickText(time, step)}</span>
          </span>
        ))}
        {place !== null && place >= 0 && place <= 1 && (
          <span className="oa-chosen" style={{ insetInlineStart: `${place * 100}%` }} />
        )}
        {marks.map((mark) => {
          const first = mark.events[0] as Event;
          const lost = mark.events.some(takesAway);
          const several = mark.events.length > 1;
          return (
            <span
              key={first.id}
              data-mark={[...new Set(mark.events.map(({ action }) => action))].join(' ')}
              className={`oa-mark${lost ? ' oa-lost' : ''}${several ? ' oa-several' : ''}`}
              style={{ insetInlineStart: `${mark.place * 100}%` }}
              title={textOf(mark, names)}
              onClick={(event) => {
                event.stopPropagation();
                pick(mark);
              }}
            >
              <span>{several ? Math.min(99, mark.events.length) : ''}</span>
            </span>
          );
        })}
      </div>
      <p className="oa-small oa-legend">
        <span className="oa-mark oa-lost" /> something went away <span className="oa-mark" /> something changed. Click a
        mark for the moment just before it, or the line for any other.
      </p>
    </div>
  );
}

function textOf(mark: Mark<Event>, names: ReadonlyMap<string, string>): string {
  const lines = mark.events.slice(-5).map((event) => sentenceOf(event, names));
  const more = mark.events.length - lines.length;
  return [...lines.reverse(), ...(more > 0 ? [`and ${counted(more, 'other thing', 'other things')}`] : [])].join('\n');
}

function tickText(time: number, step: number): string {
  const date = new Date(time);
  const day = 86_400_000;
  const midnight = date.getHours() === 0 && date.getMinutes() === 0 && date.getSeconds() === 0;
  if (step >= day || (midnight && step >= 3_600_000))
    return new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' }).format(date);
  return new Intl.DateTimeFormat(undefined, { timeStyle: step < 60_000 ? 'medium' : 'short' }).format(date);
}

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(900);
  useEffect(() => {
    const observed = element.current;
    if (!observed) return undefined;
    const observer = new ResizeObserver(([entry]) => entry && setWidth(Math.max(200, entry.contentRect.width)));
    observer.observe(observed);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
