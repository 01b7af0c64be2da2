import { Label } from '@patternfly/react-core';
import type { Schema } from '../api/client';
import { cellText, columnsOf, dateText, numberText, type Answer } from './answer';

type Comparison = NonNullable<Schema['OpenedVisual']['comparison']>;

export function Kpi({
  answer,
  comparison,
  grain,
}: {
  answer: Answer;
  comparison: Comparison | undefined;
  grain: string | undefined;
}) {
  const measure = columnsOf(answer, 'measure')[0];
  if (!measure) return <p>There is no measure to show.</p>;
  const change = comparison?.change ?? null;
  const percent = comparison?.change_percent ?? null;
  return (
    <div>
      <div className="oa-kpi">{cellText(answer.rows[0]?.[measure.index], measure.column)}</div>
      <p className="oa-small">{measure.column.label || measure.column.id}</p>
      {comparison && change !== null && (
        <p>
          <Label isCompact status={change > 0 ? 'success' : change < 0 ? 'danger' : 'info'}>
            {change > 0 ? '+' : ''}
            {numberText(change, measure.column)}
            {percent !== null && ` (${percent > 0 ? '+' : ''}${percent.toFixed(1)} %)`}
          </Label>{' '}
          <span className="oa-small">
            {dateText(comparison.period, grain, 'date')} against {dateText(comparison.previous_period, grain, 'date')}
          </span>
        </p>
      )}
    </div>
  );
}
