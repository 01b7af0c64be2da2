import {
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  TextInput,
} from '@patternfly/react-core';
import type { Show } from './events';
import { fieldText, timeOfField } from './span';

interface Props {
  show: Show;
  time: number | null;
  earliest: number;
  now: number;
  fault: string | null;
  onShow: (show: Show) => void;
  onTime: (time: number) => void;
}

/** What the list shows, and a time for whoever knows it. */
export function MomentFields({ show, time, earliest, now, fault, onShow, onTime }: Props) {
  return (
    <>
      <div className="oa-filter oa-wide">
        <FormGroup label="Show" fieldId="moment-show">
          <FormSelect id="moment-show" value={show} onChange={(_event, value) => onShow(value as Show)}>
            <FormSelectOption value="changes" label="What was changed" />
            <FormSelectOption value="lost" label="Only what went away" />
            <FormSelectOption value="all" label="Everything, who looked too" />
          </FormSelect>
        </FormGroup>
        <FormGroup label="Or a time" fieldId="moment-at">
          <TextInput
            id="moment-at"
            type="datetime-local"
            step={1}
            min={fieldText(earliest)}
            max={fieldText(now)}
            value={time === null ? '' : fieldText(time)}
            validated={fault ? 'error' : 'default'}
            aria-describedby="moment-at-help"
            onChange={(_event, text) => {
              const typed = timeOfField(text);
              if (!Number.isNaN(typed)) onTime(typed);
            }}
          />
        </FormGroup>
      </div>
      <FormHelperText id="moment-at-help">
        <HelperText>
          <HelperTextItem variant={fault ? 'error' : 'default'}>
            {fault ?? `Times are those of ${Intl.DateTimeFormat().resolvedOptions().timeZone}.`}
          </HelperTextItem>
        </HelperText>
      </FormHelperText>
    </>
  );
}
