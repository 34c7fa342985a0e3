// Numbers as the model writes them (NaN and infinities are strings) and as people read them.

const wordsForNumbers = new Map([
  ["inf", Infinity],
  ["-inf", -Infinity],
]);

export function toNumber(value) {
  if (typeof value === "number") return value;
  return wordsForNumbers.get(value) ?? NaN;
}

// Three significant places; a real minus sign.
export function formatNumber(value, places = 3) {
  const x = toNumber(value);
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size < 1e-3 || size >= 1e5 ? x.toExponential(places - 1) : String(Number(x.toPrecision(places)));
  return text
    .replace(/\.?0*e/, "e")
    .replace("e+", "e")
    .replaceAll("-", "−");
}

// "10⁻⁶".
export function powerOfTen(exponent) {
  if (exponent === 0) return "1";
  return `10${[...String(exponent)].map((c) => (c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c])).join("")}`;
}

// A share of a whole: "12.5 %".
export function formatShare(share) {
  const percent = 100 * toNumber(share);
  if (!Number.isFinite(percent)) return "–";
  if (percent !== 0 && Math.abs(percent) < 0.05) return percent > 0 ? "< 0.1 %" : "> −0.1 %";
  return `${percent.toFixed(1).replace("-", "−")} %`;
}

// The first index whose value is not less than x, in an ascending list.
export function lowerBound(values, x) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
