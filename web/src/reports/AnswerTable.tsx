import { alignsRight, cellText, type Answer } from './answer';

export function AnswerTable({ answer, caption }: { answer: Answer; caption: string }) {
  return (
    <div className="oa-numbers" tabIndex={0} role="group" aria-label={caption}>
      <table className="oa-plain-table" aria-label={caption}>
        <thead>
          <tr>
            {answer.columns.map((column) => (
              <th key={column.id} scope="col" className={alignsRight(column) ? 'oa-number' : undefined}>
                {column.label || column.id}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {answer.rows.map((row, line) => (
            <tr key={line}>
              {answer.columns.map((column, index) => (
                <td key={column.id} className={alignsRight(column) ? 'oa-number' : undefined}>
                  {cellText(row[index], column)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
