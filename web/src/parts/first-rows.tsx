/** Cuts a long table to its first rows, with a button that shows all. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { useApp } from "../state/context.ts";
import { grouped } from "../state/numbers.ts";

const AT_FIRST = 12;

export function useFirstRows<T>(rows: readonly T[]): { shown: readonly T[]; more: ComponentChildren } {
  const { words } = useApp();
  const [all, setAll] = useState(false);
  if (all || rows.length <= AT_FIRST) {
    return { shown: rows, more: null };
  }
  const more = (
    <button type="button" class="button more" onClick={() => setAll(true)}>
      {words.machine.more(grouped(rows.length))}
    </button>
  );
  return { shown: rows.slice(0, AT_FIRST), more };
}
