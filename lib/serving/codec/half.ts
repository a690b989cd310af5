const bits = new Uint32Array(1);
const single = new Float32Array(bits.buffer);

/** The bits of the binary16 nearest to a number, ties to even. Format: IEEE 754-2008, 3.6. */
export function toHalf(value: number): number {
  if (Number.isNaN(value)) return 0x7e00;
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size >= 65_520) return sign | 0x7c00;
  // Below 2^-14 the steps are all of 2^-24; above, a power of two has 1024 of them.
  const exponent = Math.max(-14, exponentOf(size));
  const steps = nearestEven(size / 2 ** (exponent - 10));
  return sign | (exponent === -14 ? steps : ((exponent + 14) << 10) + steps);
}

/** The number that a binary16's bits stand for. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** Of a number below 65520: the power of two at or below it; what single precision rounds up to the next is rounded up anyway. */
function exponentOf(size: number): number {
  single[0] = size;
  return (bits[0]! >>> 23) - 127;
}

function nearestEven(value: number): number {
  const down = Math.floor(value);
  const rest = value - down;
  return rest > 0.5 || (rest === 0.5 && down % 2 === 1) ? down + 1 : down;
}
