// Which part of the window is looked at: a length that ends now or at some time, or what a mark was enlarged to.
import { useState } from 'react';
import { lengthOf, spanOf, type Span, type Zoom } from './span';

interface Look {
  zoom: Zoom | null; // null: `near` was chosen by a mark
  end: number | null; // null: the present moment
  near: Span | null;
}

export interface View {
  span: Span;
  earliest: number;
  zoom: Zoom | null;
  live: boolean;
  atStart: boolean;
  atEnd: boolean;
  setZoom: (zoom: Zoom) => void;
  move: (by: -1 | 1) => void;
  toNow: () => void;
  closer: (span: Span) => void;
}

export function useView(first: Zoom, earliest: number, now: number): View {
  const [{ zoom, end, near }, look] = useState<Look>({ zoom: first, end: null, near: null });
  const span = near ?? spanOf(zoom ?? first, end ?? now, earliest, now);
  const length = near ? near.to - near.from : lengthOf(zoom ?? first, earliest, now);
  const endAt = (to: number) => (to >= now ? null : to);
  return {
    span,
    earliest,
    zoom: near ? null : zoom,
    live: end === null && near === null,
    atStart: span.from <= earliest,
    atEnd: span.to >= now - 1000,
    setZoom: (next) => look({ zoom: next, end: near ? endAt(near.to) : end, near: null }),
    move: (by) => {
      const to = Math.min(now, Math.max(earliest + length, span.to + by * length));
      if (near) look({ zoom: null, end: null, near: { from: Math.max(earliest, to - length), to, live: false } });
      else look({ zoom, end: endAt(to), near: null });
    },
    toNow: () => look({ zoom: zoom ?? 'hour', end: null, near: null }),
    closer: (next) => look({ zoom: null, end: null, near: next }),
  };
}
