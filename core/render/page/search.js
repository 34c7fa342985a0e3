// Search by name: what begins like the query first, then what contains it; in names, then operations, scopes, titles of boxes, equations.

export function searchNodes(tape, query, { titles = null, shown = () => true, most = 500 } = {}) {
  const wanted = query.trim().toLowerCase();
  if (!wanted) return [];
  const found = [];
  for (let n = 0; n < tape.count; ++n) {
    if (!shown(n)) continue;
    const rank = rankOf(wanted, [tape.name(n), titles?.(n) ?? "", tape.op(n), tape.scope(n), tape.equation(n)]);
    if (rank >= 0) found.push([rank, n]);
  }
  found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  return found.slice(0, most).map(([, n]) => n);
}

// 0 the whole name; less alike, larger; -1 not at all.
function rankOf(wanted, texts) {
  for (let i = 0; i < texts.length; ++i) {
    const text = texts[i].toLowerCase();
    if (!text) continue;
    if (text === wanted) return i * 3;
    if (text.startsWith(wanted)) return i * 3 + 1;
    if (text.includes(wanted)) return i * 3 + 2;
  }
  return -1;
}
