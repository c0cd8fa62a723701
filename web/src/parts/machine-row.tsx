/** One machine of a factory with the strip of its day, which is loaded when the row comes into view. */

import { useEffect, useRef, useState } from "preact/hooks";
import type { MachineEntry } from "../api/openapi.ts";
import { readTimeline } from "../api/requests.ts";
import { StateStrip } from "../charts/strip.tsx";
import { useApp } from "../state/context.ts";
import { Link } from "../state/link.tsx";
import { useLoad } from "../state/load.ts";
import { addDays, midnightMs } from "../state/seoul.ts";
import { viewOf } from "../state/view.ts";

const STRIP_HEIGHT = 26;

interface Props {
  factoryId: string;
  machine: MachineEntry;
  day: string;
}

export function MachineRow({ factoryId, machine, day }: Props) {
  const { view, words } = useApp();
  const row = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (row.current === null) {
      return;
    }
    const observer = new IntersectionObserver(
      (entries) => entries.some((entry) => entry.isIntersecting) && setSeen(true),
      {
        rootMargin: "200px",
      },
    );
    observer.observe(row.current);
    return () => observer.disconnect();
  }, []);
  const window = { from: day, to: addDays(day, 1) };
  const timeline = useLoad(seen ? `${machine.machine_id} ${day}` : null, (signal) =>
    readTimeline(factoryId, machine.machine_id, window, signal),
  );
  return (
    <div class="machine-row" ref={row} data-machine={machine.machine_id}>
      <div class="machine-name">
        <Link to={viewOf(view, "machine", `machine:${factoryId}/${machine.machine_id}`, { day })}>{machine.name}</Link>
        <span class="quiet small">
          {machine.machine_id} · {words.automation[machine.automation]}
        </span>
      </div>
      <div class="machine-strip">
        {timeline.problem !== null ? (
          <button type="button" class="button" onClick={timeline.retry}>
            {words.panel.failed} {words.panel.retry}
          </button>
        ) : timeline.data === null || timeline.loading ? (
          <div class="strip-wait" />
        ) : (
          <StateStrip
            timeline={timeline.data}
            fromMs={midnightMs(day)}
            toMs={midnightMs(window.to)}
            height={STRIP_HEIGHT}
          />
        )}
      </div>
    </div>
  );
}
