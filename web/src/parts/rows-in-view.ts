/** Which rows of a long list are in view, so that only those are drawn. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

const MORE = 8;

export interface InView {
  first: number;
  last: number;
}

/** Rows of one height in a scrolling box: the ones in view and some around them. */
export function useRowsInView(box: RefObject<HTMLElement | null>, rows: number, height: number): InView {
  const [place, setPlace] = useState({ top: 0, seen: 600 });
  useEffect(() => {
    const element = box.current;
    if (element === null) {
      return;
    }
    const look = () => setPlace({ top: element.scrollTop, seen: element.clientHeight });
    const watch = new ResizeObserver(look);
    watch.observe(element);
    element.addEventListener("scroll", look, { passive: true });
    return () => {
      watch.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, [box]);
  const top = Math.min(place.top, Math.max(0, rows * height - place.seen));
  const first = Math.max(0, Math.floor(top / height) - MORE);
  return { first, last: Math.min(rows, Math.ceil((top + place.seen) / height) + MORE) };
}
