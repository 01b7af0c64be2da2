import { Button, ToggleGroup, ToggleGroupItem } from '@patternfly/react-core';
import { exact } from '../design/format';
import { zooms } from './span';
import type { View } from './view';

interface Props {
  view: View;
  /** How many are drawn, when there are more. */
  drawn: string | null;
}

export function ViewControls({ view, drawn }: Props) {
  const { span, earliest } = view;
  return (
    <>
      <div className="oa-row oa-spread">
        <ToggleGroup aria-label="How much time is shown" className="oa-states">
          {zooms.map(([value, text]) => (
            <ToggleGroupItem
              key={value}
              buttonId={`zoom-${value}`}
              text={text}
              isSelected={view.zoom === value}
              onChange={() => view.setZoom(value)}
            />
          ))}
        </ToggleGroup>
        <div className="oa-row">
          <Button variant="secondary" size="sm" isDisabled={view.atStart} onClick={() => view.move(-1)}>
            Earlier
          </Button>
          <Button variant="secondary" size="sm" isDisabled={view.atEnd} onClick={() => view.move(1)}>
            Later
          </Button>
          <Button variant="link" size="sm" isDisabled={view.live} onClick={view.toNow}>
            Now
          </Button>
        </div>
      </div>
      <p className="oa-small" aria-live="polite">
        {exact(span.from)} to {view.atEnd ? 'now' : exact(span.to)}. The earliest moment is {exact(earliest)}.
        {drawn && ` The newest ${drawn} things are drawn: look at less time, or show more.`}
      </p>
    </>
  );
}
