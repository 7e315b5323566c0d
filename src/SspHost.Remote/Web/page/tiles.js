// Reads what the panel sends: tiles of pixels, as TileCode writes them.
const REPEAT = 128, ABOVE = 192;
const OPAQUE = 0xff000000;

/** Reads one tile at bytes[at] into pixels (ABGR, as canvases have them); the place after it. Throws where it is no tile. */
export function readTile(bytes, at, pixels, width) {
  const colours = bytes[at++];
  const colour = (p) => (OPAQUE | (bytes[p + 2] << 16) | (bytes[p + 1] << 8) | bytes[p]) >>> 0;
  const palette = new Uint32Array(colours);
  for (let i = 0; i < colours; i++, at += 3) palette[i] = colour(at);
  for (let i = 0; i < pixels.length;) {
    const op = bytes[at++];
    if (op >= REPEAT) {
      const back = op < ABOVE ? 1 : width;
      const end = i + 1 + (op & 63);
      if (i < back || end > pixels.length) throw new Error("not a tile");
      for (; i < end; i++) pixels[i] = pixels[i - back];
    } else if (colours === 0) {
      const end = i + 1 + op;
      if (!(end <= pixels.length)) throw new Error("not a tile"); // at the end of the bytes it is no number
      for (; i < end; i++, at += 3) pixels[i] = colour(at);
    } else if (op < colours) {
      pixels[i++] = palette[op];
    } else {
      throw new Error("not a tile");
    }
  }

  return at;
}

/** Draws a frame's tiles; how many there were. */
export function drawTiles(bytes, at, size, context) {
  const columns = size.width / size.tileWidth;
  const image = context.createImageData(size.tileWidth, size.tileHeight);
  const pixels = new Uint32Array(image.data.buffer);
  let count = 0;
  for (; at < bytes.length; count++) {
    const number = bytes[at] | (bytes[at + 1] << 8);
    at = readTile(bytes, at + 2, pixels, size.tileWidth);
    context.putImageData(image, (number % columns) * size.tileWidth, Math.floor(number / columns) * size.tileHeight);
  }

  return count;
}
