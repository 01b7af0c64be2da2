// Bars and lines. Each chart has its numbers as a table, too: a switch of the visual shows them.
import {
  Bar,
  BarChart,
  CartesianGrid,
  Legend,
  Line,
  LineChart,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from 'recharts';
import { columnsOf, labelOf, numberOf, numberText, type Answer } from './answer';

const series = (index: number) => `var(--oa-series-${(index % 6) + 1})`;
const tooltipStyle = {
  background: 'var(--pf-t--global--background--color--floating--default)',
  border: '1px solid var(--pf-t--global--border--color--default)',
  color: 'var(--pf-t--global--text--color--regular)',
};

export function Chart({ answer, kind, title }: { answer: Answer; kind: 'bar' | 'line'; title: string }) {
  const measures = columnsOf(answer, 'measure');
  const first = measures[0];
  if (!first) return <p>There is no measure to draw.</p>;
  const data = answer.rows.map((row) => ({
    label: labelOf(answer, row),
    ...Object.fromEntries(measures.map(({ column, index }) => [column.id, numberOf(row[index])])),
  }));
  const axes = [
    <CartesianGrid key="grid" vertical={false} />,
    <XAxis key="x" dataKey="label" minTickGap={12} tickMargin={6} />,
    <YAxis key="y" width={56} tickFormatter={(value: number) => numberText(value, first.column, true)} />,
    <Tooltip
      key="tip"
      contentStyle={tooltipStyle}
      cursor={{ fill: 'var(--pf-t--global--border--color--default)', opacity: 0.3 }}
      formatter={(value, name) => {
        const measure = measures.find(({ column }) => (column.label || column.id) === name)?.column ?? first.column;
        return numberText(Number(value), measure);
      }}
    />,
  ];
  if (measures.length > 1) axes.push(<Legend key="legend" itemSorter={null} />);
  const drawn = measures.map(({ column }, index) => {
    const shared = { dataKey: column.id, name: column.label || column.id, isAnimationActive: false };
    return kind === 'bar' ? (
      <Bar key={column.id} {...shared} fill={series(index)} radius={[3, 3, 0, 0]} maxBarSize={64} />
    ) : (
      <Line
        key={column.id}
        {...shared}
        stroke={series(index)}
        strokeWidth={2}
        dot={data.length < 40}
        connectNulls={false}
      />
    );
  });
  const margin = { top: 8, right: 12, bottom: 4, left: 0 };
  return (
    <div
      className="oa-chart"
      role="img"
      aria-label={`${title}: ${data.length} values as a ${kind === 'bar' ? 'bar' : 'line'} chart. “Numbers” shows them as a table.`}
    >
      <ResponsiveContainer width="100%" height="100%">
        {kind === 'bar' ? (
          <BarChart data={data} margin={margin} accessibilityLayer={false}>
            {axes}
            {drawn}
          </BarChart>
        ) : (
          <LineChart data={data} margin={margin} accessibilityLayer={false}>
            {axes}
            {drawn}
          </LineChart>
        )}
      </ResponsiveContainer>
    </div>
  );
}
