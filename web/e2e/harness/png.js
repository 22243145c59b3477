// Pictures with few colours are small: 256 are enough for a page of the UI.

import { crc32, deflateSync, inflateSync } from "node:zlib";

const COLORS = 256;
/** Squares of differences, summed */
const UNLIKE = 400;
const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** Writes a screenshot of Chromium with at most 256 colours. */
export function withFewColors(png) {
  const { width, height, pixels } = read(png);
  const counts = new Map();
  for (const color of pixels) counts.set(color, (counts.get(color) ?? 0) + 1);
  const kept = choose([...counts].sort(([, a], [, b]) => b - a).map(([color]) => color));
  const places = new Map(kept.map((color, place) => [color, place]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let at = 0; at < pixels.length; at++) {
    const color = pixels[at];
    let place = places.get(color);
    if (place === undefined) {
      place = nearest(color, kept);
      places.set(color, place);
    }
    rows[Math.floor(at / width) * (width + 1) + 1 + (at % width)] = place;
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  // 8 bits a pixel, each a place in the palette.
  header.set([8, 3], 8);
  const colors = Buffer.from(kept.flatMap((color) => [color >> 16, (color >> 8) & 255, color & 255]));
  return Buffer.concat([
    SIGNATURE,
    chunk("IHDR", header),
    chunk("PLTE", colors),
    chunk("IDAT", deflateSync(rows, { level: 9, memLevel: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

/** A small dot of a colour counts, too: first those that are unlike each other, then those that there are most of. */
function choose(colors) {
  const kept = new Set();
  for (const color of colors) {
    if (kept.size === COLORS) break;
    if ([...kept].every((other) => distance(color, other) >= UNLIKE)) kept.add(color);
  }
  for (const color of colors) {
    if (kept.size === COLORS) break;
    kept.add(color);
  }
  return [...kept];
}

function distance(one, other) {
  const [red, green, blue] = [16, 8, 0].map((bits) => ((one >> bits) & 255) - ((other >> bits) & 255));
  return red * red + green * green + blue * blue;
}

function nearest(color, kept) {
  let best = Number.POSITIVE_INFINITY;
  let found = 0;
  for (const [place, other] of kept.entries()) {
    const away = distance(color, other);
    if (away < best) [best, found] = [away, place];
  }
  return found;
}

/** Reads what Chromium writes: 8 bits a channel, not interlaced. A pixel is 0xRRGGBB. */
function read(png) {
  const data = [];
  let [width, height, channels] = [0, 0, 0];
  for (let at = SIGNATURE.length; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const kind = png.toString("latin1", at + 4, at + 8);
    const body = png.subarray(at + 8, at + 8 + length);
    if (kind === "IHDR") {
      [width, height] = [body.readUInt32BE(0), body.readUInt32BE(4)];
      channels = { 2: 3, 6: 4 }[body[9]];
      if (body[8] !== 8 || !channels || body[12] !== 0) throw new Error("not a picture as Chromium makes them");
    }
    if (kind === "IDAT") data.push(body);
    at += length + 12;
  }
  const rows = inflateSync(Buffer.concat(data));
  const line = width * channels;
  const bytes = Buffer.alloc(line * height);
  for (let y = 0; y < height; y++)
    unfilter(rows.subarray(y * (line + 1), (y + 1) * (line + 1)), bytes, y * line, channels);
  const pixels = new Uint32Array(width * height);
  for (let at = 0; at < pixels.length; at++) {
    const from = at * channels;
    pixels[at] = (bytes[from] << 16) | (bytes[from + 1] << 8) | bytes[from + 2];
  }
  return { width, height, pixels };
}

/** Undoes the filter of a row, whose first byte says which it is. */
function unfilter(row, bytes, start, channels) {
  const line = row.length - 1;
  for (let x = 0; x < line; x++) {
    const left = x >= channels ? bytes[start + x - channels] : 0;
    const up = start > 0 ? bytes[start + x - line] : 0;
    const corner = start > 0 && x >= channels ? bytes[start + x - line - channels] : 0;
    const guess = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][row[0]];
    bytes[start + x] = row[x + 1] + guess;
  }
}

function paeth(left, up, corner) {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}

function chunk(kind, body) {
  const inside = Buffer.concat([Buffer.from(kind, "latin1"), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(inside));
  return Buffer.concat([length, inside, sum]);
}
