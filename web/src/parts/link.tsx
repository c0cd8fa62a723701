/** A link to another view: a real address, followed without loading the page anew. */

import type { ComponentChildren } from "preact";
import { useApp } from "../state/context.ts";
import { type View, writeView } from "../state/view.ts";

/** Whether a click asks for this very window (no new tab, no download). */
export function isPlain(event: MouseEvent): boolean {
  return event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
}

export function Link({
  to,
  current,
  ...rest
}: {
  to: View;
  current?: boolean;
  class?: string;
  children: ComponentChildren;
}) {
  const { go } = useApp();
  return (
    <a
      href={writeView(to)}
      {...(current ? { "aria-current": "page" as const } : {})}
      onClick={(event) => {
        if (isPlain(event)) {
          event.preventDefault();
          go(to);
        }
      }}
      {...rest}
    />
  );
}
