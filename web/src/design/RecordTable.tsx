// A table of records: rows become cards on narrow screens; the rest of a long list comes on demand.
import { Button } from '@patternfly/react-core';
import { Table, Tbody, Td, Th, Thead, Tr } from '@patternfly/react-table';
import type { ReactNode } from 'react';
import { count } from './format';

export interface Column<Row> {
  title: string;
  cell: (row: Row) => ReactNode;
  /** Numbers stand right. */
  numeric?: boolean;
  /** Short: never broken into lines. */
  short?: boolean;
  /** The column of buttons: its title is for screen readers only. */
  actions?: boolean;
}

interface Props<Row> {
  label: string;
  rows: Row[];
  keyOf: (row: Row) => string;
  columns: Column<Row>[];
  more?: { has: boolean; loading: boolean; load: () => void };
}

export function RecordTable<Row>({ label, rows, keyOf, columns, more }: Props<Row>) {
  return (
    <>
      <Table aria-label={label} variant="compact" gridBreakPoint="grid-lg" className="oa-table">
        <Thead>
          <Tr>
            {columns.map((column) => (
              <Th
                key={column.title}
                screenReaderText={column.actions ? column.title : undefined}
                className={column.numeric ? 'oa-number' : undefined}
                modifier="wrap"
              >
                {column.actions ? undefined : column.title}
              </Th>
            ))}
          </Tr>
        </Thead>
        <Tbody>
          {rows.map((row) => (
            <Tr key={keyOf(row)}>
              {columns.map((column) => (
                <Td
                  key={column.title}
                  dataLabel={column.actions ? undefined : column.title}
                  className={column.numeric ? 'oa-number' : column.actions ? 'oa-action-cell' : undefined}
                  modifier={column.short || column.numeric ? 'nowrap' : undefined}
                >
                  {column.cell(row)}
                </Td>
              ))}
            </Tr>
          ))}
        </Tbody>
      </Table>
      {more?.has && (
        <div className="oa-more">
          <Button variant="secondary" onClick={more.load} isLoading={more.loading} isDisabled={more.loading}>
            Show more
          </Button>
          <span className="oa-small">{count(rows.length)} shown</span>
        </div>
      )}
    </>
  );
}
