/** A link to another view: a real address, followed without reloading the page. */

import type { ComponentChildren } from "preact";
import { useApp } from "./context.ts";
import { type View, writeView } from "./view.ts";

/** Whether a click should open in this window (no new tab, no download). */
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
