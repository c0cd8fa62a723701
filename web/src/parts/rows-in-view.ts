/** Virtual scrolling: only the rows in view are rendered. */

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

const MORE = 8;

export interface InView {
  first: number;
  last: number;
}

/** Returns the rows in view, and some around them, in a scrolling box with rows of equal height. */
export function useRowsInView(box: RefObject<HTMLElement | null>, rows: number, height: number): InView {
  const [place, setPlace] = useState({ top: 0, seen: 600 });
  useEffect(() => {
    const element = box.current;
    if (element === null) {
      return;
    }
    const update = () => setPlace({ top: element.scrollTop, seen: element.clientHeight });
    const observer = new ResizeObserver(update);
    observer.observe(element);
    element.addEventListener("scroll", update, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", update);
    };
  }, [box]);
  const top = Math.min(place.top, Math.max(0, rows * height - place.seen));
  const first = Math.max(0, Math.floor(top / height) - MORE);
  return { first, last: Math.min(rows, Math.ceil((top + place.seen) / height) + MORE) };
}
