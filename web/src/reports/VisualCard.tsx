// One visual of a report: drawn by its kind, or as the numbers behind it.
import { Button, Card, CardBody, CardHeader, CardTitle } from '@patternfly/react-core';
import { useState, type CSSProperties } from 'react';
import type { Schema } from '../api/client';
import { Problem } from '../api/problem';
import { ErrorNotice } from '../design/ErrorNotice';
import { AnswerTable } from './AnswerTable';
import { Chart } from './Chart';
import { Kpi } from './Kpi';
import { MatrixTable } from './MatrixTable';

type Visual = Schema['OpenedVisual'];

export function VisualCard({ visual, place }: { visual: Visual; place: CSSProperties }) {
  const [numbers, setNumbers] = useState(false);
  const switchable =
    visual.answer &&
    !visual.answer.denied &&
    ['bar', 'line', 'matrix'].includes(visual.kind) &&
    visual.answer.row_count > 0;
  const actions = switchable && (
    <Button
      variant="link"
      size="sm"
      aria-pressed={numbers}
      onClick={() => setNumbers(!numbers)}
      aria-label={`Numbers of ${visual.title}`}
    >
      {numbers ? 'Picture' : 'Numbers'}
    </Button>
  );
  return (
    <Card className="oa-visual" style={place} isCompact data-visual={visual.kind}>
      <CardHeader actions={actions ? { actions } : undefined}>
        <CardTitle component="h2">{visual.title}</CardTitle>
      </CardHeader>
      <CardBody>
        <Body visual={visual} numbers={numbers} />
        {!!visual.ignored_filters?.length && (
          <p className="oa-small">
            Not filtered here, because the dataset has no such field: {visual.ignored_filters.join(', ')}.
          </p>
        )}
      </CardBody>
    </Card>
  );
}

/** Of the comparison: {"comparison":{"grain":"month"}}. */
function grainOf(visual: Visual): string | undefined {
  const comparison = (visual.options as Record<string, unknown>)['comparison'];
  const grain =
    typeof comparison === 'object' && comparison !== null
      ? (comparison as Record<string, unknown>)['grain']
      : undefined;
  return typeof grain === 'string' ? grain : undefined;
}

function Body({ visual, numbers }: { visual: Visual; numbers: boolean }) {
  if (visual.error) {
    const { code, message, hint } = visual.error;
    return <ErrorNotice error={new Problem(422, { code, detail: message, hint })} />;
  }
  const { answer } = visual;
  if (answer?.denied)
    return (
      <p>
        You may see none of these rows: the dataset’s row-level security has no rule that lets you. Whoever keeps the
        dataset can add one.
      </p>
    );
  if (!answer || answer.row_count === 0) return <p>There are no rows to show.</p>;
  if (numbers || visual.kind === 'table') return <AnswerTable answer={answer} caption={visual.title} />;
  if (visual.kind === 'kpi') return <Kpi answer={answer} comparison={visual.comparison} grain={grainOf(visual)} />;
  if (visual.kind === 'matrix')
    return (
      <MatrixTable answer={answer} subtotals={visual.subtotals ?? []} options={visual.options} caption={visual.title} />
    );
  return <Chart answer={answer} kind={visual.kind} title={visual.title} />;
}
