/** The 17 regions as tiles, coloured by a figure, with the number in each; a tile leads to its region. */

import { type FigureData, MARKS, marksOf } from "../figures/data.ts";
import { dataOf, useFigureText, useMarkWords } from "../figures/figure.tsx";
import { isPlain } from "../parts/link.tsx";
import { useApp } from "../state/context.ts";
import { viewOf, writeView } from "../state/view.ts";
import { REGIONS, type Region } from "../words/places.ts";
import { NO_VALUE } from "./patterns.tsx";
import { colourOf, type Scale } from "./scale.ts";

const TILE = 104;
const GAP = 6;
const SIZE = TILE - GAP;
const COLUMNS = 4;
const ROWS = 5;
const MOST_WIDTH = 13;
/** Room for a value, and how wide a letter is beside its height. */
const VALUE_ROOM = SIZE - 20;
const LETTER = 0.55;
const VALUE_HEIGHT = 22;

interface Props {
  figures: ReadonlyMap<string, FigureData>;
  scale: Scale | null;
}

export function TileMap({ figures, scale }: Props) {
  const figureText = useFigureText();
  const valued = [...figures.values()].filter(({ answer }) => answer.value !== null);
  const widest = Math.max(1, ...valued.map((figure) => widthOf(figureText(figure))));
  const height = Math.min(VALUE_HEIGHT, VALUE_ROOM / (widest * LETTER));
  return (
    // biome-ignore lint/a11y/noSvgWithoutTitle: the panel's heading names it, and each tile is a link with a name.
    <svg class="tile-map" viewBox={`0 0 ${COLUMNS * TILE - GAP} ${ROWS * TILE - GAP}`}>
      {REGIONS.map((region) => (
        <Tile
          key={region.code}
          region={region}
          figure={figures.get(region.code) ?? null}
          scale={scale}
          height={height}
        />
      ))}
    </svg>
  );
}

interface TileProps {
  region: Region;
  figure: FigureData | null;
  scale: Scale | null;
  /** Of a value's letters, the same in all tiles. */
  height: number;
}

function Tile({ region, figure, scale, height }: TileProps) {
  const { view, words, go, openFigure } = useApp();
  const figureText = useFigureText();
  const markWords = useMarkWords();
  const value = figure?.answer.value ?? null;
  const { fill, ink } = value === null || scale === null ? { fill: NO_VALUE, ink: "#14202c" } : colourOf(scale, value);
  const target = viewOf(view, "region", `region:${region.code}`);
  const name = region[view.lang];
  const text = figure === null ? (words.reasons["not_in_use"] ?? "") : figureText(figure);
  const marks = figure === null ? "" : markWords(figure);
  const open = () => figure !== null && openFigure(figure);
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
      {figure === null && (
        <>
          <rect x="4" y="44" width={SIZE - 8} height="48" rx="4" fill="#ffffff" />
          <TileText text={text} ink={ink} missing height={height} />
        </>
      )}
      {figure !== null && (
        // biome-ignore lint/a11y/useSemanticElements: SVG has no button.
        <g
          role="button"
          tabindex={0}
          class="tile-figure"
          aria-label={`${name}: ${text}${marks === "" ? "" : `, ${marks}`}`}
          onClick={open}
          onKeyDown={(event: KeyboardEvent) => {
            if (event.key === "Enter" || event.key === " ") {
              event.preventDefault();
              open();
            }
          }}
          {...dataOf(figure)}
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
              {marksOf(figure)
                .map((mark) => MARKS[mark] ?? "•")
                .join("")}
            </text>
          )}
        </g>
      )}
    </g>
  );
}

/** The value; a reason in up to three lines. */
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

/** How wide a text is, in Latin letters: Hangul takes two. */
function widthOf(text: string): number {
  return [...text].reduce((width, letter) => width + ((letter.codePointAt(0) ?? 0) > 0x10ff ? 2 : 1), 0);
}

/** Words in lines of at most `most` Latin letters. */
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
