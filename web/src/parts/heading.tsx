/** A page's title, the question that it answers, and links back above. */

import { useApp } from "../state/context.ts";
import { Link } from "../state/link.tsx";
import { seesScope } from "../state/roles.ts";
import type { View } from "../state/view.ts";

interface Props {
  title: string;
  question: string;
  /** Links back, the widest first; those that the reader's role may not see are left out. */
  trail?: { name: string; to: View }[];
}

export function Heading({ title, question, trail: whole = [] }: Props) {
  const { words, session } = useApp();
  const trail = whole.filter(({ to }) => to.page === "factory" || seesScope(session, to.scope));
  return (
    <header class="heading">
      {trail.length > 0 && (
        <nav class="trail" aria-label={words.nav.label}>
          {trail.map(({ name, to }) => (
            <Link key={name} to={to}>
              {name}
            </Link>
          ))}
        </nav>
      )}
      <h1>{title}</h1>
      <p class="question">{question}</p>
    </header>
  );
}
