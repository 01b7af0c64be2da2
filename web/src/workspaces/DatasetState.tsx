import { Label, type LabelProps } from '@patternfly/react-core';
import { wordsFor } from '../api/problem_words';
import { title } from '../design/format';
import type { Dataset } from './DatasetList';

const colours: Record<Dataset['state'], LabelProps['status']> = {
  created: 'info',
  syncing: 'info',
  ready: 'success',
  refreshing: 'info',
  error: 'danger',
  paused: 'warning',
};

export function DatasetState({ dataset }: { dataset: Dataset }) {
  return (
    <>
      <Label isCompact status={colours[dataset.state]}>
        {title(dataset.state)}
      </Label>
      {dataset.last_failure && (
        <div className="oa-small">
          {wordsFor(dataset.last_failure.code, 0).what} <code>{dataset.last_failure.code}</code>
        </div>
      )}
    </>
  );
}
