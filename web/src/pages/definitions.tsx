/** How is each figure defined? And for researchers, who have no other page: where their data are. */

import { Heading } from "../parts/heading.tsx";
import { useApp } from "../state/context.ts";
import { seesFigures } from "../state/roles.ts";
import { definitionText, noteText } from "../words/kpis.ts";

export function DefinitionsPage() {
  const { words, view, definitions, session } = useApp();
  const said = words.definitions;
  return (
    <>
      <Heading title={words.nav.definitions} question={words.question.definitions} />
      {!seesFigures(session) && (
        <section class="panel" aria-labelledby="research">
          <header class="panel-head">
            <h2 id="research">{said.research}</h2>
          </header>
          <p>{said.sql}</p>
          <p class="quiet">{said.login}</p>
        </section>
      )}
      <section class="panel" aria-labelledby="defined">
        <header class="panel-head">
          <h2 id="defined">{said.all}</h2>
        </header>
        <dl class="definitions-list">
          {definitions.map((definition) => {
            const note = noteText(definition, view.lang);
            return (
              <div key={definition.id} data-definition={definition.id}>
                <dt>
                  {definition.title[view.lang]} <code class="quiet small">{definition.id}</code>
                </dt>
                <dd>
                  <span class="formula">{definitionText(definition, view.lang)}</span>
                  {note !== null && <span class="quiet block">{note}</span>}
                  <span class="quiet small block">
                    {words.figure.source}: {definition.source}
                  </span>
                </dd>
              </div>
            );
          })}
        </dl>
        <h3>{said.elements}</h3>
        <p class="quiet">{said.elementsText}</p>
      </section>
    </>
  );
}
