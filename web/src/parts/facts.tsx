/** Registered facts as names and values in a line. */

export function Facts({ label, facts }: { label: string; facts: readonly [name: string, value: string][] }) {
  return (
    <dl class="facts" aria-label={label}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
