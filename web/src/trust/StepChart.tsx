// Medians as bars of one colour, each with its number beside it: nothing is said by colour alone.
import type { Schema } from '../api/client';
import { seconds, stepsIn } from './words';

export function StepChart({ steps }: { steps: Record<string, Schema['Distribution']> }) {
  const rows = stepsIn(steps).flatMap(({ name, label, value }) => (value ? [{ name, label, value }] : []));
  const longest = Math.max(0.001, ...rows.map(({ value }) => value.median));
  return (
    <table className="oa-plain-table oa-bars">
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Median</th>
          <th scope="col" className="oa-number">
            Seconds
          </th>
          <th scope="col" className="oa-number">
            At most
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, label, value }) => (
          <tr key={name}>
            <th scope="row">{label}</th>
            <td className="oa-bar-cell" aria-hidden="true">
              <div className="oa-step-bar" style={{ inlineSize: `${(value.median / longest) * 100}%` }} />
            </td>
            <td className="oa-number">{seconds(value.median)}</td>
            <td className="oa-number">{seconds(value.max)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
