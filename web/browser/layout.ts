/** Measures a page's layout: empty space below content, and shifts while loading. */

import type { Page } from "playwright-core";

/** Elements with a border. */
const FRAMED = ".panel, .programme-cell";
/** Elements whose children stand side by side. */
const ROWS = ".two-columns, .nation-grid, .programme";

/** Returns panels with more than `most` pixels of empty space in or below them. */
export function emptySpaces(page: Page, most: number): Promise<string[]> {
  return page.evaluate(
    ([framed, rows, pixels]) => {
      const nameOf = (element: Element) => element.querySelector("h2")?.textContent ?? element.className;
      const bottomOf = (element: Element) => {
        const bottoms = [...element.querySelectorAll("svg, canvas, button, input, select, table, .rows")]
          .filter((part) => part.checkVisibility())
          .map((part) => part.getBoundingClientRect().bottom);
        const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        for (let text = texts.nextNode(); text !== null; text = texts.nextNode()) {
          const parent = text.parentElement;
          if (text.textContent?.trim() && parent?.checkVisibility() && parent.closest(".rows") === null) {
            const range = document.createRange();
            range.selectNodeContents(text);
            bottoms.push(range.getBoundingClientRect().bottom);
          }
        }
        return Math.max(...bottoms);
      };
      const blank = [...document.querySelectorAll(framed)].flatMap((element) => {
        const inner =
          element.getBoundingClientRect().bottom - Number.parseFloat(getComputedStyle(element).paddingBottom);
        const space = Math.round(inner - bottomOf(element));
        return space > pixels ? [`${space} px below the content of ${nameOf(element)}`] : [];
      });
      const uneven = [...document.querySelectorAll(rows)].flatMap((row) => {
        const end = row.getBoundingClientRect().bottom;
        return [...row.children].flatMap((child) => {
          const space = Math.round(end - child.getBoundingClientRect().bottom);
          return space > pixels ? [`${space} px below ${nameOf(child)}`] : [];
        });
      });
      return [...blank, ...uneven];
    },
    [FRAMED, ROWS, most] as const,
  );
}

/** Returns the cumulative layout shift since the page opened; below 0.1 counts as good. */
export function layoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        let sum = 0;
        new PerformanceObserver((list) => {
          for (const entry of list.getEntries()) {
            sum += (entry as PerformanceEntry & { value: number }).value;
          }
        }).observe({ type: "layout-shift", buffered: true });
        setTimeout(() => resolve(sum), 50);
      }),
  );
}
