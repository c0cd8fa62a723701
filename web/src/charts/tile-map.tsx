/** The 17 regions as tiles, coloured by a KPI and with its value; each tile links to its region. */

import { dataOf, useKpiText, useMarkWords } from "../kpis/button.tsx";
import { useApp } from "../state/context.ts";
import { type Kpi, MARKS, marksOf } from "../state/kpi.ts";
import { isPlain } from "../state/link.tsx";
import { viewOf, writeView } from "../state/view.ts";
import { reasonTitle } from "../words/definitions.ts";
import { REGIONS, type Region } from "../words/places.ts";
import { NO_VALUE } from "./patterns.tsx";
import { colourOf, type Scale } from "./scale.ts";

const TILE = 104;
const GAP = 6;
const SIZE = TILE - GAP;
const COLUMNS = 4;
const ROWS = 5;
const MOST_WIDTH = 13;
/** The room for a value, and a letter's width relative to its height. */
const VALUE_ROOM = SIZE - 20;
const LETTER = 0.55;
const VALUE_HEIGHT = 22;

interface Props {
  kpis: ReadonlyMap<string, Kpi>;
  scale: Scale | null;
}

export function TileMap({ kpis, scale }: Props) {
  const kpiText = useKpiText();
  const valued = [...kpis.values()].filter(({ answer }) => answer.value !== null);
  const widest = Math.max(1, ...valued.map((kpi) => widthOf(kpiText(kpi))));
  const height = Math.min(VALUE_HEIGHT, VALUE_ROOM / (widest * LETTER));
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: the panel's heading names it, and each tile is a link with a name.
    <svg class="tile-map" viewBox={`0 0 ${COLUMNS * TILE - GAP} ${ROWS * TILE - GAP}`}>
      {REGIONS.map((region) => (
        <Tile key={region.code} region={region} kpi={kpis.get(region.code) ?? null} scale={scale} height={height} />
      ))}
    </svg>
  );
}

interface TileProps {
  region: Region;
  kpi: Kpi | null;
  scale: Scale | null;
  /** Font size of the values, the same in all tiles. */
  height: number;
}

function Tile({ region, kpi, scale, height }: TileProps) {
  const { view, words, meanings, go, openKpi } = useApp();
  const kpiText = useKpiText();
  const markWords = useMarkWords();
  const value = kpi?.answer.value ?? null;
  const { fill, ink } = value === null || scale === null ? { fill: NO_VALUE, ink: "#14202c" } : colourOf(scale, value);
  const target = viewOf(view, "region", `region:${region.code}`);
  const name = region[view.lang];
  const text = kpi === null ? reasonTitle(meanings, "not_in_use", view.lang) : kpiText(kpi);
  const marks = kpi === null ? "" : markWords(kpi);
  const open = () => kpi !== null && openKpi(kpi);
  return (
    <g transform={`translate(${region.column * TILE} ${region.row * TILE})`} class="tile" data-region={region.code}>
      <a
        href={writeView(target)}
        aria-label={words.map.open(name)}
        onClick={(event: MouseEvent) => {
          if (isPlain(event)) {
            event.preventDefault();
            go(target);
          }
        }}
      >
        <rect width={SIZE} height={SIZE} rx="6" fill={fill} stroke="#c6d0da" />
        {value === null && <rect x="4" y="6" width={SIZE - 8} height="26" rx="4" fill="#ffffff" />}
        <text x="11" y="26" class={name.length > 7 ? "tile-name long" : "tile-name"} fill={ink}>
          {name}
        </text>
      </a>
      {kpi === null && (
        <>
          <rect x="4" y="44" width={SIZE - 8} height="48" rx="4" fill="#ffffff" />
          <TileText text={text} ink={ink} missing height={height} />
        </>
      )}
      {kpi !== null && (
        // biome-ignore lint/a11y/useSemanticElements: SVG has no button.
        <g
          role="button"
          tabindex={0}
          class="tile-kpi"
          aria-label={`${name}: ${text}${marks === "" ? "" : `, ${marks}`}`}
          onClick={open}
          onKeyDown={(event: KeyboardEvent) => {
            if (event.key === "Enter" || event.key === " ") {
              event.preventDefault();
              open();
            }
          }}
          {...dataOf(kpi)}
        >
          <rect
            class="tile-hit"
            x="4"
            y={value === null ? 44 : 56}
            width={SIZE - 8}
            height={value === null ? 48 : 36}
            rx="4"
            fill={value === null ? "#ffffff" : "transparent"}
          />
          <TileText text={text} ink={ink} missing={value === null} height={height} />
          {marks !== "" && value !== null && (
            <text x={SIZE - 11} y="50" text-anchor="end" class="tile-mark" fill={ink}>
              {marksOf(kpi)
                .map((mark) => MARKS[mark] ?? "•")
                .join("")}
            </text>
          )}
        </g>
      )}
    </g>
  );
}

/** The value, or the reason for its absence in up to three lines. */
function TileText(props: { text: string; ink: string; missing: boolean; height: number }) {
  const { text, ink, missing, height } = props;
  if (!missing) {
    return (
      <text x="11" y="80" class="tile-value value" font-size={height} fill={ink}>
        {text}
      </text>
    );
  }
  const lines = wrap(text, MOST_WIDTH).slice(0, 3);
  return (
    <text x="11" y={74 - lines.length * 6} class="tile-reason value" fill={ink}>
      {lines.map((line, n) => (
        <tspan key={line} x="11" dy={n === 0 ? 6 : 14}>
          {line}
        </tspan>
      ))}
    </text>
  );
}

/** Returns the width of a text in Latin letters; Hangul takes two. */
function widthOf(text: string): number {
  return [...text].reduce((width, letter) => width + ((letter.codePointAt(0) ?? 0) > 0x10ff ? 2 : 1), 0);
}

/** Wraps a text into lines of at most `most` Latin letters. */
function wrap(text: string, most: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + widthOf(word) < most) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else {
      lines.push(word);
    }
  }
  return lines;
}
