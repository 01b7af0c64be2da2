import { Fragment } from 'react';
import type { Schema } from '../api/client';
import { cellText, type Answer, type AnswerColumn } from './answer';
import { pivot, type Matrix } from './pivot';

interface Props {
  answer: Answer;
  subtotals: Answer[];
  options: Schema['OpenedVisual']['options'];
  caption: string;
}

const most = 60; // columns: more are read in the table of numbers

export function MatrixTable({ answer, subtotals, options, caption }: Props) {
  const matrix = pivot(answer, subtotals, options);
  const columns = matrix.across.slice(0, most);
  const flat = columns.length === 0;
  const groups = [...columns, ...(matrix.hasRowTotals ? [{ key: '', label: 'Total' }] : [])];
  return (
    <div className="oa-numbers" tabIndex={0} role="group" aria-label={caption}>
      <table className="oa-plain-table" aria-label={caption}>
        <thead>
          {!flat && (
            <tr>
              {matrix.rowNames.map((name) => (
                <td key={name} />
              ))}
              {groups.map(({ key, label }) => (
                <th key={key} scope="colgroup" colSpan={matrix.measures.length}>
                  {label}
                </th>
              ))}
            </tr>
          )}
          <tr>
            {matrix.rowNames.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
            {(flat ? [{ key: '' }] : groups).map(({ key }) => (
              <Heads key={key} measures={matrix.measures} />
            ))}
          </tr>
        </thead>
        <tbody>
          {matrix.rows.map(({ key, labels }) => (
            <tr key={key}>
              {labels.map((label, index) => (
                <th key={index} scope="row">
                  {label}
                </th>
              ))}
              <Cells matrix={matrix} row={key} keys={flat ? [''] : groups.map((group) => group.key)} />
            </tr>
          ))}
          {matrix.hasTotals && matrix.rowNames.length > 0 && (
            <tr className="oa-total">
              <th scope="row" colSpan={matrix.rowNames.length}>
                Total
              </th>
              <Cells matrix={matrix} row="" keys={flat ? [''] : groups.map((group) => group.key)} />
            </tr>
          )}
        </tbody>
      </table>
      {matrix.across.length > most && (
        <p className="oa-small">{matrix.across.length - most} more columns: see “Numbers”.</p>
      )}
    </div>
  );
}

function Heads({ measures }: { measures: AnswerColumn[] }) {
  return (
    <>
      {measures.map((measure) => (
        <th key={measure.id} scope="col" className="oa-number">
          {measure.label || measure.id}
        </th>
      ))}
    </>
  );
}

function Cells({ matrix, row, keys }: { matrix: Matrix; row: string; keys: string[] }) {
  return (
    <>
      {keys.map((key) => (
        <Fragment key={key}>
          {matrix.measures.map((measure) => {
            const value = matrix.cell(row, key, measure.id);
            return (
              <td key={measure.id} className={key === '' && keys.length > 1 ? 'oa-number oa-total' : 'oa-number'}>
                {value === undefined ? '' : cellText(value, measure)}
              </td>
            );
          })}
        </Fragment>
      ))}
    </>
  );
}
