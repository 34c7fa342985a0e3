// A tape written down by hand: {op, inputs, name, step, phase, gradient, origin}, as a model.

export function modelOf(nodes, more = {}) {
  const strings = [""];
  const string = (text = "") => {
    const known = strings.indexOf(text);
    return known >= 0 ? known : strings.push(text) - 1;
  };
  const column = (f) => nodes.map(f);
  return {
    strings,
    nodes: {
      op: column((n) => string(n.op ?? "op")),
      name: column((n) => string(n.name)),
      scope: column((n) => string(n.scope)),
      step: column((n) => n.step ?? null),
      phase: column((n) => n.phase ?? 0),
      shape: column((n) => string(n.shape ?? "()")),
      dtype: column(() => string("float64")),
      equation: column((n) => string(n.equation)),
      inputs: column((n) => n.inputs ?? []),
      stats: column((n) => n.stats ?? null),
      gradient: column((n) => (n.gradient == null ? null : [n.gradient, n.gradient, n.gradient, n.gradient])),
      origin: column((n) => n.origin ?? null),
    },
    values: {},
    gradients: {},
    ...more,
  };
}
