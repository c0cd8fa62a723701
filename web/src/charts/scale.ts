/** A sequential colour scale in classes, light to dark, that colour-blind readers can tell apart. Pure. */

/** Blues of one hue (after ColorBrewer), darker for more. */
export const COLOURS = ["#e3edf7", "#bfd6ea", "#85b4d9", "#4c94c8", "#0f5a96"] as const;
const INK = "#14202c";
const PAPER = "#ffffff";

/** Classes of equal width; `breaks` are their ends, one more than there are colours in use. */
export interface Scale {
  breaks: number[];
  colours: string[];
}

const STEPS = [1, 2, 2.5, 5, 10];

/** Returns a round class width at or above `width`. */
function roundWidth(width: number): number {
  const power = 10 ** Math.floor(Math.log10(width));
  const step = STEPS.find((candidate) => candidate * power >= width * (1 - 1e-9)) ?? 10;
  return step * power;
}

/** Returns a scale over the values, or null without values. */
export function makeScale(values: readonly number[]): Scale | null {
  if (values.length === 0) {
    return null;
  }
  const [least, most] = [Math.min(...values), Math.max(...values)];
  let width = roundWidth(Math.max(most - least, Math.abs(most) * 0.01, 1e-6) / COLOURS.length);
  let start = Math.floor(least / width + 1e-9) * width;
  while (start + width * COLOURS.length < most - width * 1e-9) {
    width = roundWidth(width * 1.01);
    start = Math.floor(least / width + 1e-9) * width;
  }
  const classes = Math.max(1, Math.min(COLOURS.length, Math.ceil((most - start) / width - 1e-9)));
  const breaks = Array.from({ length: classes + 1 }, (_, n) => Number((start + n * width).toPrecision(12)));
  const colours = Array.from({ length: classes }, (_, n) => {
    const place = classes === 1 ? 2 : Math.round((n * (COLOURS.length - 1)) / (classes - 1));
    return COLOURS[place] ?? COLOURS[0];
  });
  return { breaks, colours };
}

/** Returns the class of a value. */
export function classOf(scale: Scale, value: number): number {
  const found = scale.breaks.slice(1, -1).filter((end) => value >= end).length;
  return Math.min(found, scale.colours.length - 1);
}

/** Returns the colour of a value, and the text colour with the best contrast on it. */
export function colourOf(scale: Scale, value: number): { fill: string; ink: string } {
  const fill = scale.colours[classOf(scale, value)] ?? COLOURS[0];
  return { fill, ink: contrast(fill, INK) >= contrast(fill, PAPER) ? INK : PAPER };
}

function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Returns the contrast of two colours (WCAG 2.2, section 1.4.3): 1 to 21. */
export function contrast(one: string, other: string): number {
  const [light = 0, dark = 0] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (light + 0.05) / (dark + 0.05);
}
