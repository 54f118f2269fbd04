/**
 * Points drawn into the pixels of a canvas: 90,000 take some milliseconds, on machines without a graphics card too.
 *
 * Colours are 0xBBGGRR, as the bytes of a canvas are read by processors of today.
 */

const OPAQUE = 0xff000000;

/** A canvas on which points are drawn; `size` is that of the canvas in its pixels. */
export function plot(canvas) {
  const context = canvas.getContext("2d", {alpha: false});
  let image = null, pixels = null;

  /** Draw runs of points, in order: {first, end, colour, strength}, strength 0..1. */
  function draw(places, runs, {view, radius, paper}) {
    if (image?.width !== canvas.width || image.height !== canvas.height) {
      image = context.createImageData(canvas.width, canvas.height);
      pixels = new Uint32Array(image.data.buffer);
    }
    pixels.fill(paper | OPAQUE);
    for (const run of runs) stamped({pixels, width: image.width, height: image.height}, places, run, view, stamp(radius, run.strength, image.width));
    context.putImageData(image, 0, 0);
  }

  return draw;
}

/** What a point covers: offsets into the pixels, how much of each, 0..256, and how far it reaches. */
function stamp(radius, strength, width) {
  const reach = Math.ceil(radius), offsets = [], shares = [];
  for (let y = -reach; y <= reach; y += 1) {
    for (let x = -reach; x <= reach; x += 1) {
      const covered = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(x, y)));
      if (covered > 0.02) {
        offsets.push(y * width + x);
        shares.push(Math.round(256 * strength * covered));
      }
    }
  }
  return {reach, offsets: Int32Array.from(offsets), shares: Int32Array.from(shares)};
}

function stamped({pixels, width, height}, places, {first, end, colour}, {left, top, scale}, {reach, offsets, shares}) {
  const redBlue = colour & 0xff00ff, green = colour & 0x00ff00;
  for (let at = 2 * first; at < 2 * end; at += 2) {
    const x = Math.round(left + scale * places[at]), y = Math.round(top + scale * places[at + 1]);
    if (x < reach || y < reach || x >= width - reach || y >= height - reach) continue;
    const middle = y * width + x;
    for (let part = 0; part < offsets.length; part += 1) {
      const pixel = middle + offsets[part], share = shares[part], below = pixels[pixel];
      const a = below & 0xff00ff, b = below & 0x00ff00; // two channels at once, and one
      pixels[pixel] = OPAQUE
        | ((a + (Math.imul(redBlue - a, share) >>> 8)) & 0xff00ff)
        | ((b + (Math.imul(green - b, share) >> 8)) & 0x00ff00);
    }
  }
}
