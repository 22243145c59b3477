// Where the lines on the page stand in the scroller: a browser cannot be scrolled through billions of pixels.

/** Taller elements are cut by some browsers. */
const HEIGHT_MAX = 8_000_000;

export interface Measures {
  /** Length of the log in bytes */
  size: number;
  /** The bytes on the page */
  from: number;
  to: number;
  /** Their height */
  content: number;
  /** Height of what one sees at once */
  viewport: number;
  /** Distance of the pinned line from the top of the content */
  pin: number;
  /** Position of the pinned line in the log */
  pinAt: number;
  /** Distance that the pinned line keeps from the top of the viewport */
  offset: number;
  /** Height of the scroller before; 0 at first */
  before: number;
}

export interface Placing {
  height: number;
  top: number;
  scrollTop: number;
}

/** As tall as the log would be, and the lines about where they would stand in it. */
export function placeContent(m: Measures): Placing {
  const isFirst = m.from <= 0;
  const isLast = m.to >= m.size;
  if (isFirst && isLast)
    return { height: m.content, top: 0, scrollTop: clamp(m.pin - m.offset, 0, m.content - m.viewport) };
  const slack = 2 * m.viewport;
  const estimate = (m.content / Math.max(1, m.to - m.from)) * m.size;
  const wanted = clamp(estimate, m.content + (isFirst ? 0 : slack) + (isLast ? 0 : slack), HEIGHT_MAX);
  // A bar whose thumb trembles is worse than one that is a little wrong.
  const isNear = m.before >= m.content + 2 * slack && Math.abs(wanted - m.before) < 0.3 * m.before;
  const height = isNear ? m.before : wanted;
  const top = isFirst ? 0 : isLast ? height - m.content : between(m, height, slack);
  return { height, top, scrollTop: clamp(top + m.pin - m.offset, 0, height - m.viewport) };
}

function between(m: Measures, height: number, slack: number): number {
  const wanted = (m.pinAt / m.size) * (height - m.viewport);
  return clamp(wanted - m.pin + m.offset, slack, height - m.content - slack);
}

/** The byte that belongs to a place of the scroll bar. */
export function byteAt(scrollTop: number, height: number, viewport: number, size: number): number {
  const most = height - viewport;
  return most <= 0 ? 0 : Math.round(clamp(scrollTop / most, 0, 1) * size);
}

function clamp(value: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, value));
}
