/** The page of all factories: which are there, and how are they doing? */

import { Controls } from "../parts/controls.tsx";
import { FactoryList } from "../parts/factory-list.tsx";
import { Heading } from "../parts/heading.tsx";
import { useApp } from "../state/context.ts";
import { regionOf } from "../state/roles.ts";

export function FactoriesPage() {
  const { words, session } = useApp();
  const region = regionOf(session);
  return (
    <>
      <Heading title={words.nav.factories} question={words.question.factories} />
      <Controls />
      <FactoryList within={region === null ? "nation" : `region:${region}`} />
    </>
  );
}
