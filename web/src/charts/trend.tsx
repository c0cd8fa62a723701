/** A figure over time as a line, with coverage as a band of its own below, and all of it as a table. */

import { LineChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "preact/hooks";
import type { KpiDefinition, ValueUnit } from "../api/openapi.ts";
import { type FigureData, isThin } from "../figures/data.ts";
import { Figure, useFigureText, useMarkWords } from "../figures/figure.tsx";
import { useApp } from "../state/context.ts";
import { axisText, percent } from "../state/numbers.ts";
import { dayOf } from "../state/seoul.ts";
import type { Language } from "../state/view.ts";
import { MarkLegend } from "./scale-legend.tsx";

echarts.use([LineChart, GridComponent, MarkAreaComponent, TooltipComponent, CanvasRenderer]);

const INK = "#14202c";
const QUIET = "#566473";
const LINE = "#0f5a96";
const BAND = "#8fa3b5";
const RULE = "#e3e8ed";
const FONT =
  '"Pretendard", "Noto Sans KR", "Noto Sans CJK KR", system-ui, -apple-system, "Segoe UI", "Malgun Gothic", sans-serif';

/** Hours as minutes where all are few, so that the axis has round ones. */
function drawnTimes(figures: readonly FigureData[], unit: ValueUnit): number {
  const most = Math.max(0, ...figures.map(({ answer }) => answer.value ?? 0));
  return unit === "h" && most < 2 ? 60 : 1;
}

/** How a bucket is called: its day, or its month. */
export function bucketName(figure: FigureData, interval: string): string {
  const day = dayOf(Date.parse(figure.from));
  return interval === "month" ? day.slice(0, 7) : day;
}

interface Props {
  figures: readonly FigureData[];
  definition: KpiDefinition;
  interval: string;
}

export function Trend({ figures, definition, interval }: Props) {
  const { words, view, openFigure } = useApp();
  const title = definition.title[view.lang];
  const figureText = useFigureText();
  const markWords = useMarkWords();
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | null>(null);
  useEffect(() => {
    if (place.current === null) {
      return;
    }
    const made = echarts.init(place.current, null, { renderer: "canvas" });
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(place.current);
    chart.current = made;
    return () => {
      watch.disconnect();
      made.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    const made = chart.current;
    if (made === null) {
      return;
    }
    const tooltip = (index: number) => readout(figures[index], interval, [words.trend.coverage, figureText, markWords]);
    made.setOption(optionsOf(figures, definition.value_unit, interval, view.lang, words.trend.coverage, tooltip), {
      notMerge: true,
    });
    const open = (event: { dataIndex?: number }) => {
      const figure = figures[event.dataIndex ?? -1];
      if (figure !== undefined) {
        openFigure(figure);
      }
    };
    made.on("click", open);
    return () => {
      made.off("click", open);
    };
  });
  return (
    <div class="trend">
      <div class="trend-chart" ref={place} role="img" aria-label={words.trend.title(title)} />
      <p class="quiet small">{words.trend.hollow}</p>
      <details>
        <summary>{words.trend.table}</summary>
        <div class="trend-table">
          <table class="figures-table">
            <thead>
              <tr>
                <th scope="col">{words.trend.period}</th>
                <th scope="col" class="number">
                  {title}
                </th>
                <th scope="col" class="number">
                  {words.trend.coverage}
                </th>
              </tr>
            </thead>
            <tbody>
              {figures.map((figure) => (
                <tr key={figure.from}>
                  <th scope="row">{bucketName(figure, interval)}</th>
                  <td class="number">
                    <Figure figure={figure} />
                  </td>
                  <td class="number">{figure.coverage === null ? "–" : percent(figure.coverage)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <MarkLegend figures={figures} />
      </details>
    </div>
  );
}

type Reading = [coverage: string, text: (figure: FigureData) => string, marks: (figure: FigureData) => string];

/** What stands beside the pointer. Built as elements: the page forbids inline styles. */
function readout(figure: FigureData | undefined, interval: string, [coverage, text, marks]: Reading): HTMLElement {
  const box = document.createElement("div");
  box.className = "trend-readout";
  if (figure !== undefined) {
    const heard = figure.coverage === null ? "–" : percent(figure.coverage);
    const lines = [bucketName(figure, interval), text(figure), `${coverage} ${heard}`, marks(figure)];
    for (const [n, line] of lines.entries()) {
      const part = document.createElement(n === 1 ? "strong" : "span");
      part.textContent = line;
      box.append(part);
    }
  }
  return box;
}

function optionsOf(
  figures: readonly FigureData[],
  unit: ValueUnit,
  interval: string,
  lang: Language,
  coverageWord: string,
  tooltip: (index: number) => HTMLElement,
): echarts.EChartsCoreOption {
  const names = figures.map((figure) => bucketName(figure, interval));
  const label = { color: QUIET, fontFamily: FONT, fontSize: 12 };
  const times = drawnTimes(figures, unit);
  const left = unit === "h" ? 88 : 64;
  const short = (name: string) => (interval === "month" ? name : name.slice(5));
  const axis = { type: "category", data: names, boundaryGap: false, axisTick: { show: false } };
  return {
    animation: false,
    textStyle: { fontFamily: FONT, color: INK },
    grid: [
      { left, right: 20, top: 14, bottom: 106 },
      { left, right: 20, height: 44, bottom: 32 },
    ],
    tooltip: {
      trigger: "axis",
      axisPointer: { type: "line", lineStyle: { color: QUIET, type: "solid" } },
      backgroundColor: "#ffffff",
      borderColor: "#c6d0da",
      textStyle: { color: INK, fontFamily: FONT, fontSize: 13 },
      formatter: (shown: { dataIndex: number }[]) => tooltip(shown[0]?.dataIndex ?? -1),
    },
    axisPointer: { link: [{ xAxisIndex: "all" }] },
    xAxis: [
      { ...axis, gridIndex: 0, axisLabel: { show: false }, axisLine: { lineStyle: { color: RULE } } },
      {
        ...axis,
        gridIndex: 1,
        axisLabel: { ...label, hideOverlap: true, formatter: short },
        axisLine: { lineStyle: { color: BAND } },
      },
    ],
    yAxis: [
      {
        type: "value",
        gridIndex: 0,
        scale: true,
        splitNumber: 4,
        axisLabel: { ...label, formatter: (value: number) => axisText(value / times, unit, lang) },
        splitLine: { lineStyle: { color: RULE } },
      },
      {
        type: "value",
        gridIndex: 1,
        min: 0,
        max: 1,
        interval: 1,
        axisLabel: { ...label, formatter: (value: number) => `${value * 100}%` },
        splitLine: { lineStyle: { color: RULE } },
      },
    ],
    series: [valueSeries(figures, times), coverageSeries(figures, coverageWord)],
  };
}

/** The line: solid points where the figure is sound, hollow where it is thin or still growing, a gap where there is none. */
function valueSeries(figures: readonly FigureData[], times: number) {
  return {
    type: "line",
    xAxisIndex: 0,
    yAxisIndex: 0,
    symbol: "circle",
    symbolSize: figures.length > 45 ? 5 : 7,
    showAllSymbol: true,
    connectNulls: false,
    lineStyle: { color: LINE, width: 2 },
    data: figures.map((figure) => ({
      value: figure.answer.value === null ? null : figure.answer.value * times,
      itemStyle: {
        color: isThin(figure.answer) || figure.partial ? "#ffffff" : LINE,
        borderColor: LINE,
        borderWidth: 1.5,
      },
    })),
    markArea: { silent: true, itemStyle: { color: "rgba(143, 163, 181, 0.16)" }, data: thinSpans(figures) },
  };
}

function coverageSeries(figures: readonly FigureData[], name: string) {
  return {
    type: "line",
    name,
    xAxisIndex: 1,
    yAxisIndex: 1,
    step: "middle",
    symbol: "none",
    lineStyle: { color: BAND, width: 1 },
    areaStyle: { color: BAND, opacity: 0.45 },
    data: figures.map((figure) => figure.coverage),
  };
}

/** Runs of buckets in which too little was heard of what the figure rests on, as pairs of indexes. */
function thinSpans(figures: readonly FigureData[]): [{ xAxis: number }, { xAxis: number }][] {
  const spans: [{ xAxis: number }, { xAxis: number }][] = [];
  for (const [n, figure] of figures.entries()) {
    if (!isThin(figure.answer)) {
      continue;
    }
    const last = spans.at(-1);
    if (last !== undefined && last[1].xAxis === n - 1) {
      last[1].xAxis = n;
    } else {
      spans.push([{ xAxis: n }, { xAxis: n }]);
    }
  }
  return spans;
}
