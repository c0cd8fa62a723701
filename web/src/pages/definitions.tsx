/** The page of definitions: how is each KPI calculated? And for researchers, who have no other page, where their data are. */

import { Heading } from "../parts/heading.tsx";
import { useApp } from "../state/context.ts";
import { seesKpis } from "../state/roles.ts";
import { definitionText, noteText } from "../words/definitions.ts";

export function DefinitionsPage() {
  const { words, view, definitions, session } = useApp();
  const labels = words.definitions;
  return (
    <>
      <Heading title={words.nav.definitions} question={words.question.definitions} />
      {!seesKpis(session) && (
        <section class="panel" aria-labelledby="research">
          <header class="panel-head">
            <h2 id="research">{labels.research}</h2>
          </header>
          <p>{labels.sql}</p>
          <p class="quiet">{labels.login}</p>
        </section>
      )}
      <section class="panel" aria-labelledby="defined">
        <header class="panel-head">
          <h2 id="defined">{labels.all}</h2>
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
                    {words.kpi.source}: {definition.source}
                  </span>
                </dd>
              </div>
            );
          })}
        </dl>
        <h3>{labels.elements}</h3>
        <p class="quiet">{labels.elementsText}</p>
      </section>
    </>
  );
}
