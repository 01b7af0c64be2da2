// Waiting for the server: the shape of what comes, and after two seconds how long it has taken.
import { Skeleton } from '@patternfly/react-core';
import { useEffect, useState } from 'react';

export function Loading({ what, lines = 4 }: { what: string; lines?: number }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => setSeconds((value) => value + 1), 1000);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <div className="oa-loading" role="status">
      <Skeleton screenreaderText={`Loading ${what}`} width="40%" />
      {Array.from({ length: lines - 1 }, (_, line) => (
        <Skeleton key={line} width={`${90 - line * 12}%`} />
      ))}
      {seconds >= 2 && (
        <p>
          Still waiting for {what} ({seconds} s). The server has the request.
        </p>
      )}
    </div>
  );
}
