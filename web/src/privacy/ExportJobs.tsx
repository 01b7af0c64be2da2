import { Alert } from '@patternfly/react-core';
import type { Job } from '../api/jobs';
import { JobOutcome } from '../design/JobOutcome';

/** Those that run, and what came of those that ended while the page was open. */
export function ExportJobs({ jobs, title, onDone }: { jobs: Job[]; title: string; onDone: () => void }) {
  return jobs.map((job) => (
    <JobOutcome key={job.id} jobId={job.id} first={job} title={title} onDone={onDone}>
      {() => (
        <Alert
          variant="success"
          isInline
          isPlain
          isLiveRegion
          component="p"
          title="The export is made: download it below"
        />
      )}
    </JobOutcome>
  ));
}
