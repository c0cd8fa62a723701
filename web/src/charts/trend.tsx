/** A KPI over time as a line, with its coverage in a band below, and both as a table. */

import { LineChart } from "echarts/charts";
import { GridComponent, MarkAreaComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "preact/hooks";
import type { KpiDefinition, ValueUnit } from "../api/openapi.ts";
import { KpiButton, useKpiText, useMarkWords } from "../kpis/button.tsx";
import { useApp } from "../state/context.ts";
import { hasLowCoverage, type Kpi } from "../state/kpi.ts";
import { axisText, percent } from "../state/numbers.ts";
import { dayOf } from "../state/seoul.ts";
import type { Language } from "../words/language.ts";
import { MarkLegend } from "./scale-legend.tsx";

echarts.use([LineChart, GridComponent, MarkAreaComponent, TooltipComponent, CanvasRenderer]);

const INK = "#14202c";
const QUIET = "#566473";
const LINE = "#0f5a96";
const BAND = "#8fa3b5";
const RULE = "#e3e8ed";
const FONT =
  '"Pretendard", "Noto Sans KR", "Noto Sans CJK KR", system-ui, -apple-system, "Segoe UI", "Malgun Gothic", sans-serif';

/** Returns 60 to draw short hours as minutes, so that the axis has round values; else 1. */
function axisFactor(kpis: readonly Kpi[], unit: ValueUnit): number {
  const most = Math.max(0, ...kpis.map(({ answer }) => answer.value ?? 0));
  return unit === "h" && most < 2 ? 60 : 1;
}

/** Returns the name of a bucket: its day, or its month. */
export function nameOfBucket(kpi: Kpi, interval: string): string {
  const day = dayOf(Date.parse(kpi.from));
  return interval === "month" ? day.slice(0, 7) : day;
}

interface Props {
  kpis: readonly Kpi[];
  definition: KpiDefinition;
  interval: string;
}

export function Trend({ kpis, definition, interval }: Props) {
  const { words, view, openKpi } = useApp();
  const title = definition.title[view.lang];
  const kpiText = useKpiText();
  const markWords = useMarkWords();
  const container = useRef<HTMLDivElement>(null);
  const chart = useRef<echarts.ECharts | null>(null);
  useEffect(() => {
    if (container.current === null) {
      return;
    }
    const instance = echarts.init(container.current, null, { renderer: "canvas" });
    const observer = new ResizeObserver(() => instance.resize());
    observer.observe(container.current);
    chart.current = instance;
    return () => {
      observer.disconnect();
      instance.dispose();
      chart.current = null;
    };
  }, []);
  useEffect(() => {
    const instance = chart.current;
    if (instance === null) {
      return;
    }
    const tooltip = (index: number) => readout(kpis[index], interval, [words.trend.coverage, kpiText, markWords]);
    instance.setOption(optionsOf(kpis, definition.value_unit, interval, view.lang, words.trend.coverage, tooltip), {
      notMerge: true,
    });
    const open = (event: { dataIndex?: number }) => {
      const kpi = kpis[event.dataIndex ?? -1];
      if (kpi !== undefined) {
        openKpi(kpi);
      }
    };
    instance.on("click", open);
    return () => {
      instance.off("click", open);
    };
  });
  return (
    <div class="trend">
      <div class="trend-chart" ref={container} role="img" aria-label={words.trend.title(title)} />
      <p class="quiet small">{words.trend.hollow}</p>
      <details>
        <summary>{words.trend.table}</summary>
        <div class="trend-table">
          <table class="data-table">
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
              {kpis.map((kpi) => (
                <tr key={kpi.from}>
                  <th scope="row">{nameOfBucket(kpi, interval)}</th>
                  <td class="number">
                    <KpiButton kpi={kpi} />
                  </td>
                  <td class="number">{kpi.coverage === null ? "–" : percent(kpi.coverage)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <MarkLegend kpis={kpis} />
      </details>
    </div>
  );
}

type Reading = [coverage: string, text: (kpi: Kpi) => string, marks: (kpi: Kpi) => string];

/** Returns the tooltip, built from elements because the page forbids inline styles. */
function readout(kpi: Kpi | undefined, interval: string, [coverage, text, marks]: Reading): HTMLElement {
  const box = document.createElement("div");
  box.className = "trend-readout";
  if (kpi !== undefined) {
    const coverageText = kpi.coverage === null ? "–" : percent(kpi.coverage);
    const lines = [nameOfBucket(kpi, interval), text(kpi), `${coverage} ${coverageText}`, marks(kpi)];
    for (const [n, line] of lines.entries()) {
      const part = document.createElement(n === 1 ? "strong" : "span");
      part.textContent = line;
      box.append(part);
    }
  }
  return box;
}

function optionsOf(
  kpis: readonly Kpi[],
  unit: ValueUnit,
  interval: string,
  lang: Language,
  coverageWord: string,
  tooltip: (index: number) => HTMLElement,
): echarts.EChartsCoreOption {
  const names = kpis.map((kpi) => nameOfBucket(kpi, interval));
  const label = { color: QUIET, fontFamily: FONT, fontSize: 12 };
  const times = axisFactor(kpis, unit);
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
    series: [valueSeries(kpis, times), coverageSeries(kpis, coverageWord)],
  };
}

/** The line: solid points; hollow ones for too little data or an incomplete window; a gap without a value. */
function valueSeries(kpis: readonly Kpi[], times: number) {
  return {
    type: "line",
    xAxisIndex: 0,
    yAxisIndex: 0,
    symbol: "circle",
    symbolSize: kpis.length > 45 ? 5 : 7,
    showAllSymbol: true,
    connectNulls: false,
    lineStyle: { color: LINE, width: 2 },
    data: kpis.map((kpi) => ({
      value: kpi.answer.value === null ? null : kpi.answer.value * times,
      itemStyle: {
        color: hasLowCoverage(kpi.answer) || kpi.partial ? "#ffffff" : LINE,
        borderColor: LINE,
        borderWidth: 1.5,
      },
    })),
    markArea: { silent: true, itemStyle: { color: "rgba(143, 163, 181, 0.16)" }, data: lowCoverageSpans(kpis) },
  };
}

function coverageSeries(kpis: readonly Kpi[], name: string) {
  return {
    type: "line",
    name,
    xAxisIndex: 1,
    yAxisIndex: 1,
    step: "middle",
    symbol: "none",
    lineStyle: { color: BAND, width: 1 },
    areaStyle: { color: BAND, opacity: 0.45 },
    data: kpis.map((kpi) => kpi.coverage),
  };
}

/** Returns runs of buckets with too little data, as pairs of indexes. */
function lowCoverageSpans(kpis: readonly Kpi[]): [{ xAxis: number }, { xAxis: number }][] {
  const spans: [{ xAxis: number }, { xAxis: number }][] = [];
  for (const [n, kpi] of kpis.entries()) {
    if (!hasLowCoverage(kpi.answer)) {
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
