import {
  Alert,
  Button,
  Card,
  CardBody,
  CardTitle,
  Checkbox,
  Form,
  FormGroup,
  FormHelperText,
  FormSelect,
  FormSelectOption,
  HelperText,
  HelperTextItem,
  NumberInput,
} from '@patternfly/react-core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useAction } from '../api/action';
import { answer, api, type Schema } from '../api/client';
import { ErrorNotice } from '../design/ErrorNotice';
import { Loading } from '../design/Loading';
import { moment } from '../design/format';

type Schedule = Schema['Schedule'];
type Wanted = Pick<Schedule, 'frequency' | 'rows' | 'audit' | 'keep_days'>;

const key = ['backup', 'schedule'];

export function ScheduleCard() {
  const schedule = useQuery({ queryKey: key, queryFn: () => answer(api.GET('/v1/backup/schedule')) });
  return (
    <Card>
      <CardTitle component="h2">Automatic archives</CardTitle>
      <CardBody>
        <ErrorNotice error={schedule.error} onRetry={() => void schedule.refetch()} />
        {!schedule.data && !schedule.error && <Loading what="the schedule" lines={2} />}
        {schedule.data && <ScheduleForm schedule={schedule.data} />}
      </CardBody>
    </Card>
  );
}

function ScheduleForm({ schedule }: { schedule: Schedule }) {
  const client = useQueryClient();
  const [wanted, setWanted] = useState<Wanted>({
    frequency: schedule.frequency,
    rows: schedule.rows,
    audit: schedule.audit,
    keep_days: schedule.keep_days,
  });
  const save = useAction(
    (body: Wanted) => answer(api.PUT('/v1/backup/schedule', { body })),
    (saved) => client.setQueryData(key, saved),
  );
  const change = (part: Partial<Wanted>) => {
    setWanted({ ...wanted, ...part });
    save.reset();
  };
  const off = wanted.frequency === 'off';
  const valid = Number.isInteger(wanted.keep_days) && wanted.keep_days >= 1 && wanted.keep_days <= 3650;
  return (
    <Form
      className="oa-narrow"
      onSubmit={(event) => {
        event.preventDefault();
        if (valid) save.mutate(wanted);
      }}
    >
      <FormGroup label="How often" fieldId="schedule-frequency">
        <FormSelect
          id="schedule-frequency"
          value={wanted.frequency}
          onChange={(_event, value) => change({ frequency: value as Wanted['frequency'] })}
        >
          <FormSelectOption value="off" label="Never" />
          <FormSelectOption value="daily" label="Every day" />
          <FormSelectOption value="weekly" label="Every week" />
        </FormSelect>
        {schedule.next_run_at && !off && (
          <FormHelperText>
            <HelperText>
              <HelperTextItem>Next: {moment(schedule.next_run_at)}</HelperTextItem>
            </HelperText>
          </FormHelperText>
        )}
      </FormGroup>
      {!off && (
        <>
          <FormGroup label="Keep each for (days)" fieldId="schedule-keep">
            <NumberInput
              inputProps={{ id: 'schedule-keep' }}
              inputAriaLabel="Days"
              minusBtnAriaLabel="Fewer days"
              plusBtnAriaLabel="More days"
              min={1}
              max={3650}
              value={wanted.keep_days}
              onMinus={() => change({ keep_days: wanted.keep_days - 1 })}
              onPlus={() => change({ keep_days: wanted.keep_days + 1 })}
              onChange={(event) => change({ keep_days: Number((event.target as HTMLInputElement).value) })}
            />
            <FormHelperText>
              <HelperText>
                <HelperTextItem>
                  Older ones of the schedule are deleted. Those that people made or uploaded stay.
                </HelperTextItem>
              </HelperText>
            </FormHelperText>
          </FormGroup>
          <FormGroup role="group" label="Also" fieldId="schedule-also">
            <Checkbox
              id="schedule-rows"
              label="Rows of imported datasets"
              isChecked={wanted.rows}
              onChange={(_event, rows) => change({ rows })}
            />
            <Checkbox
              id="schedule-audit"
              label="Audit log"
              isChecked={wanted.audit}
              onChange={(_event, audit) => change({ audit })}
            />
          </FormGroup>
        </>
      )}
      <ErrorNotice error={save.error} doing="The schedule is not saved" />
      {save.isSuccess && <Alert variant="success" isInline isPlain isLiveRegion component="p" title="Saved" />}
      <div>
        <Button type="submit" variant="secondary" isDisabled={!valid || save.isPending} isLoading={save.isPending}>
          Save
        </Button>
      </div>
    </Form>
  );
}
