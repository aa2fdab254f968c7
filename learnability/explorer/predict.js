// The page "predict": its controls, the state in its address, and what it draws. All numbers come from equations.js.
"use strict";

const settings = JSON.parse(document.getElementById("settings").textContent);
const { digits } = settings;
const element = id => document.getElementById(id);
const steps = (first, last, step) => range(Math.round((last - first) / step) + 1).map(i => Number((first + i * step).toFixed(6)));
const SVG = "http://www.w3.org/2000/svg";
const COLOURS = ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];  // viridis
const LEFT_OVER = "#bdbdbd";
const CURVE_POINTS = 64;
const LARGEST_SIZE = 100000;  // of a training set on the sphere

// What can be chosen. `values(state)` are a slider's stops; a number that is typed may lie between them, if it may be any.

const DOMAINS = {
  hypercube: { label: "hypercube: all inputs of d signs", size: "dim", mode: "degree", target: "parity: product of k signs" },
  circle: { label: "circle: equally spaced points", size: "points", mode: "frequency", target: "cosine of frequency k" },
  sphere: { label: "sphere in d dimensions", size: "sphere_dim", mode: "degree", target: "harmonic of degree k" },
  digits: { label: "handwritten digits (8 x 8 pixels)", mode: "eigenvalue" },
};
const LABELS = { digit: "which digit (ten outputs, mean)", even: "even or odd (+1, -1)" };
const of = (...names) => state => names.includes(state.domain);
const known = (name, values) => state => state.domain === "digits" ? digits[name] : values;

const CONTROLS = [
  { name: "domain", group: "task", label: "inputs", options: Object.fromEntries(Object.entries(DOMAINS).map(([name, { label }]) => [name, label])) },
  { name: "dim", group: "task", label: "dimension d", values: () => steps(2, 16, 1), whole: true, shown: of("hypercube") },
  { name: "points", group: "task", label: "points", values: () => [4, 6, 8, 10, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024], whole: true, shown: of("circle") },
  { name: "sphere_dim", group: "task", label: "dimension d", values: () => [...steps(3, 20, 1), ...steps(25, 100, 5)], whole: true, shown: of("sphere") },
  { name: "k", group: "task", label: state => `target: ${DOMAINS[state.domain].target}`, values: state => steps(0, highest(state), 1), whole: true, shown: of("hypercube", "circle", "sphere") },
  { name: "labels", group: "task", label: "target", options: LABELS, shown: of("digits") },
  { name: "depth", group: "network", label: "hidden layers", values: known("depth", steps(0, 20, 1)), whole: true },
  { name: "activation", group: "network", label: "activation", options: state => Object.fromEntries((state.domain === "digits" ? digits.activation : Object.keys(DUALS)).map(name => [name, name])) },
  { name: "weight_std", group: "network", label: "weight standard deviation", values: known("weight_std", steps(0.2, 4, 0.05)) },
  { name: "bias_std", group: "network", label: "bias standard deviation", values: known("bias_std", steps(0, 3, 0.05)) },
  { name: "ridge", group: "training", label: "ridge δ (0: none)", values: () => [0, ...range(91).map(i => Number((10 ** (i / 10 - 6)).toPrecision(3)))] },
  { name: "noise_std", group: "training", label: "label noise, standard deviation", values: () => steps(0, 2, 0.02) },
  { name: "n", group: "training", label: "training samples n", values: state => sizes(population(state), 120), whole: true },
];
const START = {
  domain: "hypercube", dim: 8, points: 64, sphere_dim: 8, k: 2, labels: "digit",
  depth: 4, activation: "relu", weight_std: 1.4, bias_std: 0.1, ridge: 0, noise_std: 0, n: 64,
};

const highest = ({ domain, dim, points }) => domain === "hypercube" ? dim : domain === "circle" ? Math.floor(points / 2) : 20;
const population = ({ domain, dim, points }) => ({ hypercube: 2 ** dim, circle: points, digits: digits.samples })[domain] ?? Infinity;
const largest = total => Number.isFinite(total) ? total : LARGEST_SIZE;
const spaced = (total, number) => range(number).map(i => largest(total) ** (i / (number - 1)));
const sizes = (total, number) => [...new Set(spaced(total, number).map(Math.round))];
const optionsOf = (control, state) => typeof control.options === "function" ? control.options(state) : control.options;
const nearest = (values, value) => values.reduce((best, each, index) => Math.abs(each - value) < Math.abs(values[best] - value) ? index : best, 0);
const shown = (control, state) => control.shown?.(state) ?? true;

// The nearest state that can be chosen.
function allowed(wanted) {
  const state = { ...START };
  for (const control of CONTROLS) {
    const value = wanted[control.name] ?? START[control.name];
    if (control.options) {
      const names = Object.keys(optionsOf(control, state));
      state[control.name] = names.includes(value) ? value : names[0];
    } else {
      const values = control.values(state);
      const number = Number.isFinite(Number(value)) ? Number(value) : START[control.name];
      const inside = Math.min(Math.max(number, values[0]), values[values.length - 1]);
      const free = !(state.domain === "digits" && control.name in digits);
      state[control.name] = !free ? values[nearest(values, inside)] : control.whole ? Math.round(inside) : inside;
    }
  }
  return state;
}

// The spectrum of a state, with the power of its target.

let latest = {};  // {key, spectrum}: sliders of the training leave the spectrum as it is

function spectrumOf(state) {
  if (state.domain === "digits") return digitsSpectrum(state);
  const size = state[DOMAINS[state.domain].size];
  const key = [state.domain, size, state.depth, state.activation, state.weight_std, state.bias_std].join();
  if (key !== latest.key) latest = { key, spectrum: { hypercube, circle, sphere }[state.domain](size, state, settings) };
  const levels = latest.spectrum.levels.map(level => ({ ...level, power: level.mode === state.k ? 1 : 0 }));
  return { levels, tail: latest.spectrum.tail, beyond: levels.some(level => level.power) ? 0 : 1 };
}

function digitsSpectrum({ depth, activation, weight_std, bias_std, labels }) {
  const { cells, weights } = digits.spectra[[depth, activation, weight_std, bias_std].join(" ")];
  const numbers = new Float32Array(Uint8Array.from(atob(weights), character => character.charCodeAt(0)).buffer);
  const columns = 1 + Object.keys(LABELS).length;
  const power = 1 + Object.keys(LABELS).indexOf(labels);
  const levels = cells.flatMap((cell, number) => digits.local.map((local, node) => {
    const row = (number * digits.local.length + node) * columns;
    return { mode: cell, lambda: Math.exp(cell + local), multiplicity: numbers[row], power: numbers[row + power] };
  }));
  const rounding = digits.samples / sum(levels, level => level.multiplicity);  // all modes are there
  for (const level of levels) level.multiplicity *= rounding;
  return { levels: levels.reverse(), tail: 0, beyond: 0 };
}

// Groups of levels that share a colour: [{name, has(level)}], the last for all that are left and for the tail.
function groupsOf(state, { levels }) {
  const modes = [...new Set(levels.map(level => level.mode))].sort((a, b) => state.domain === "digits" ? b - a : a - b);
  const few = modes.length <= COLOURS.length ? modes : modes.slice(0, COLOURS.length - 1);
  const name = mode => state.domain === "digits"
    ? `λ from ${Math.exp(mode).toPrecision(2)} to ${Math.exp(mode + 1).toPrecision(2)}`
    : `${DOMAINS[state.domain].mode} ${mode}`;
  const groups = few.map(mode => ({ name: name(mode), has: level => level.mode === mode }));
  return [...groups, { name: state.domain === "digits" ? "smaller λ" : "higher", has: level => !few.includes(level.mode) }];
}

function budget(groups, { levels }, solution) {
  const parts = groups.map(group => sum(levels, (level, i) => group.has(level) ? level.multiplicity * solution.learned[i] : 0));
  parts[parts.length - 1] += solution.tail;
  return [...parts, solution.ridge];
}

// Drawing.

const fixed = value => value === 0 ? "0" : Math.abs(value) >= 1e-3 && Math.abs(value) < 1e4 ? String(Number(value.toPrecision(3))) : value.toExponential(2);

function node(name, attributes = {}, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

function canvas(id, most) {
  const svg = element(id);
  const width = Math.max(120, svg.parentElement.clientWidth);
  const height = Math.min(most, Math.max(150, 0.7 * width));
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  return { svg, width, height, left: 38, right: width - 10, top: 12, bottom: height - 34 };
}

const decades = (low, high) => range(Math.floor(high + 1e-9) - Math.ceil(low - 1e-9) + 1).map(i => i + Math.ceil(low - 1e-9));

function axes(frame, most, ticks, y) {
  const { left, right, top, bottom } = frame;
  const x = n => left + (right - left) * Math.log(n) / Math.log(most);
  const parts = ticks.flatMap(({ at, text }) => [
    node("line", { x1: left, x2: right, y1: y(at), y2: y(at), stroke: "#e4e4e4" }),
    node("text", { x: left - 5, y: y(at) + 4, "text-anchor": "end", fill: "#444" }, text),
  ]);
  const exponents = decades(0, Math.log10(most));
  const every = Math.ceil(34 * exponents.length / (right - left));  // 34 pixels a label
  for (const exponent of exponents.filter(exponent => exponent % every === 0))
    parts.push(node("text", { x: x(10 ** exponent), y: bottom + 16, "text-anchor": "middle", fill: "#444" }, 10 ** exponent < 1e4 ? 10 ** exponent : `1e${exponent}`));
  parts.push(node("text", { x: (left + right) / 2, y: bottom + 31, "text-anchor": "middle", fill: "#444" }, right - left > 200 ? "training samples n" : "samples n"));
  parts.push(node("path", { d: `M${left},${top}V${bottom}H${right}`, fill: "none", stroke: "#444" }));
  return { x, parts };
}

const path = (points, attributes) => node("path", { d: points.map(([x, y], i) => `${i ? "L" : "M"}${x.toFixed(2)},${y.toFixed(2)}`).join(""), fill: "none", "stroke-width": 2.5, ...attributes });

function drawCurves(state, ns, curve, answer) {
  const most = ns[ns.length - 1];
  const errors = curve.flatMap(each => [each.test_mse_off_train, each.train_mse]).filter(value => Number.isFinite(value) && value > 0);
  const top = Math.ceil(Math.log10(Math.max(...errors, 1e-3)) * 2) / 2;
  const bottom = Math.max(Math.min(top - 1, Math.floor(Math.log10(Math.min(...errors, 1)))), top - 4);
  const frame = canvas("errors", 240);
  const yError = value => frame.bottom + (frame.top - frame.bottom) * (Math.log10(Math.min(Math.max(value, 10 ** bottom), 10 ** top)) - bottom) / (top - bottom);
  const ticks = decades(bottom, top).map(exponent => ({ at: 10 ** exponent, text: exponent >= -2 ? String(Number((10 ** exponent).toPrecision(1))) : `1e${exponent}` }));
  const { x, parts } = axes(frame, most, ticks, yError);
  const line = measure => ns.map((n, i) => [n, curve[i][measure]]).filter(([, value]) => value >= 10 ** bottom).map(([n, value]) => [x(n), yError(value)]);
  frame.svg.replaceChildren(
    ...parts,
    path(line("train_mse"), { stroke: "#D55E00", "stroke-dasharray": "6 4", "stroke-width": 2 }),
    path(line("test_mse_off_train"), { stroke: "#0072B2" }),
    ...mark(frame, x(state.n), yError(answer.test_mse_off_train)),
  );
  const second = canvas("learned", 240);
  const yShare = value => second.bottom + (second.top - second.bottom) * value;
  const shares = axes(second, most, [0, 0.25, 0.5, 0.75, 1].map(at => ({ at, text: String(at) })), yShare);
  second.svg.replaceChildren(
    ...shares.parts,
    path(curve.map((each, i) => [shares.x(ns[i]), yShare(each.learnability)]), { stroke: "#0072B2" }),
    ...mark(second, shares.x(state.n), yShare(answer.learnability)),
  );
}

const mark = ({ top, bottom }, x, y) => [
  node("line", { x1: x, x2: x, y1: top, y2: bottom, stroke: "#222", "stroke-dasharray": "2 3" }),
  node("circle", { cx: x, cy: y, r: 5, fill: "white", stroke: "#222", "stroke-width": 2 }),
];

function drawBudget(state, groups, spectrum, solved) {
  const frame = canvas("budget", 220);
  const ns = sizes(population(state), Math.max(6, Math.min(20, Math.floor(frame.width / 44))));
  const wide = (frame.right - frame.left) / ns.length;
  const y = share => frame.bottom + (frame.top - frame.bottom) * share;
  const parts = [0, 0.5, 1].flatMap(share => [
    node("text", { x: frame.left - 5, y: y(share) + 4, "text-anchor": "end", fill: "#444" }, share === 1 ? "n" : share === 0.5 ? "n/2" : "0"),
  ]);
  ns.forEach((n, index) => {
    const spent = budget(groups, spectrum, solved(n));
    const bar = node("g", { class: "bar", "data-n": n, "data-sum": sum(spent) });
    let below = 0;
    spent.forEach((part, number) => {
      const last = number === spent.length - 1;
      const height = Math.max(0, y(below / n) - y((below + part) / n));
      const look = { x: frame.left + (index + 0.08) * wide, width: 0.84 * wide, y: y((below + part) / n), height, fill: last ? LEFT_OVER : COLOURS[number % COLOURS.length], stroke: "white", "stroke-width": 0.6 };
      const segment = node("rect", { ...look, "data-part": part });
      segment.append(node("title", {}, `n = ${n}, ${last ? "ridge" : groups[number].name}: ${fixed(part)}`));
      bar.append(segment);
      below += part;
    });
    bar.append(node("text", { x: frame.left + (index + 0.5) * wide, y: frame.bottom + 16, "text-anchor": "middle", fill: "#444" }, n < 1e4 ? n : n.toExponential(0).replace("+", "")));
    parts.push(bar);
  });
  parts.push(node("text", { x: (frame.left + frame.right) / 2, y: frame.bottom + 31, "text-anchor": "middle", fill: "#444" }, "training samples n"));
  parts.push(node("path", { d: `M${frame.left},${frame.top}V${frame.bottom}H${frame.right}`, fill: "none", stroke: "#444" }));
  frame.svg.replaceChildren(...parts);
}

function drawKey(groups, spectrum, state, answer) {
  const names = [...groups.map(group => group.name), "ridge, and samples beyond the rank"];
  const spent = budget(groups, spectrum, answer);
  const counts = [...groups.map(group => sum(spectrum.levels, level => group.has(level) ? level.multiplicity : 0)), ""];
  const used = names.map((_, i) => i).filter(i => i < groups.length ? counts[i] > 0 || spent[i] > 0 : spent[i] > 1e-9 * state.n);
  element("budget-key").replaceChildren(...used.map(i => {
    const item = document.createElement("li");
    const colour = document.createElement("i");
    colour.style.background = i === names.length - 1 ? LEFT_OVER : COLOURS[i % COLOURS.length];
    item.append(colour, names[i]);
    return item;
  }));
  const cell = (kind, text) => Object.assign(document.createElement(kind), { textContent: text });
  const row = (...cells) => { const made = document.createElement("tr"); made.append(...cells); return made; };
  const body = used.map(i => row(cell("th", names[i]), cell("td", counts[i] === "" ? "" : fixed(counts[i])), cell("td", fixed(spent[i]))));
  const head = document.createElement("thead");
  head.append(row(cell("th", "modes"), cell("th", "how many"), cell("th", "learnabilities, summed")));
  element("levels").replaceChildren(head, ...body, row(cell("th", "sum"), cell("td", ""), cell("td", fixed(sum(spent)))));
}

const ANSWERS = {
  learnability: "learnability",
  test_mse_off_train: "test error at new inputs",
  test_mse: "test error, all inputs",
  train_mse: "train error",
  kappa: "effective regularization κ",
};

function drawAnswers(answer) {
  element("answers").replaceChildren(...Object.entries(ANSWERS).map(([name, label]) => {
    const box = document.createElement("div");
    const value = Object.assign(document.createElement("dd"), { id: name, textContent: fixed(answer[name]) });
    value.dataset.value = answer[name];
    box.append(Object.assign(document.createElement("dt"), { textContent: label }), value);
    return box;
  }));
}

function python(state) {
  const { domain, dim, points, sphere_dim, k, labels, depth, activation, weight_std, bias_std, ridge, noise_std, n } = state;
  const network = `lb.FullyConnected(depth=${depth}, activation="${activation}", weight_std=${weight_std}, bias_std=${bias_std})`;
  const arguments_ = `train_size=${n}, ridge=${ridge}, noise_std=${noise_std}`;
  const lines = {
    hypercube: [`domain = lb.Hypercube(dim=${dim})`, `target = domain.parity(${k})`],
    circle: [`domain = lb.Circle(points=${points})`, `target = domain.cosine(${k})`],
    sphere: [`domain = lb.Hypersphere(dim=${sphere_dim})`, `target = domain.harmonic(${k})`],
    digits: ["from learnability.domains.samples import DataSet", "", 'domain = DataSet(name="digits")', labels === "digit" ? "target = domain.all()" : "target = domain.target(1 - 2.0 * (domain.labels.argmax(1) % 2))"],
  }[domain];
  const limit = Number.isFinite(population(state)) ? ", population=domain.size" : "";
  return ["import learnability as lb", "", ...lines, `network = ${network}`, `print(lb.predict(domain.spectrum(network), target, ${arguments_}${limit}))`].join("\n");
}

const NOTES = {
  finite: "Equations: the theory of eigenlearning (Simon et al., arXiv 2110.03922) for training sets that are drawn without replacement.",
  infinite: "Equations: the theory of eigenlearning (Simon et al., arXiv 2110.03922).",
  digits: " lb.learning_curve knows the samples themselves and is closer to what is measured on a data set.",
};

// The state of the page: what is chosen, in the controls, in the address, in the drawing.

let state = allowed(Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
let waiting = false;

function show() {
  waiting = false;
  const spectrum = spectrumOf(state);
  const total = population(state);
  const equations = solver(spectrum, total);
  const solved = n => equations(n, state.ridge, state.noise_std);
  const ns = spaced(total, CURVE_POINTS);
  const answer = solved(state.n);
  const groups = groupsOf(state, spectrum);
  drawAnswers(answer);
  drawCurves(state, ns, ns.map(solved), answer);
  drawBudget(state, groups, spectrum, solved);
  drawKey(groups, spectrum, state, answer);
  element("python").textContent = python(state);
  element("equations").textContent = (Number.isFinite(total) ? NOTES.finite : NOTES.infinite) + (state.domain === "digits" ? NOTES.digits : "");
}

function say() {
  const [learned, error] = ["learnability", "test_mse_off_train"].map(name => element(name).textContent);
  element("summary").textContent = `With ${state.n} training samples the learnability of the target is ${learned}, and the error at new inputs ${error}.`;
}

function redraw() {
  if (!waiting) requestAnimationFrame(show);
  waiting = true;
}

function settle() {
  const names = CONTROLS.filter(control => shown(control, state)).map(control => control.name);
  history.replaceState(null, "", "#" + new URLSearchParams(names.map(name => [name, state[name]])));
  show();
  say();
}

function makeControl(control) {
  const around = document.createElement("div");
  around.className = "control";
  around.id = `control-${control.name}`;
  const label = Object.assign(document.createElement("label"), { htmlFor: control.name });
  if (control.options) {
    around.append(label, Object.assign(document.createElement("select"), { id: control.name }));
  } else {
    const slider = Object.assign(document.createElement("input"), { type: "range", id: control.name, min: 0, step: 1 });
    const number = Object.assign(document.createElement("input"), { type: "number", id: `${control.name}-number`, step: "any" });
    around.append(label, slider, number);
    slider.addEventListener("input", () => choose(control.name, control.values(state)[slider.value]));
    number.addEventListener("input", () => number.value !== "" && choose(control.name, number.value, number));
  }
  element(control.group).append(around);
}

function choose(name, value, source) {
  state = allowed({ ...state, [name]: value });
  fill(source);
  redraw();
}

// The controls say what the state is; the field that is being typed in is left alone.
function fill(source) {
  for (const control of CONTROLS) {
    const field = element(control.name);
    element(`control-${control.name}`).hidden = !shown(control, state);
    const text = typeof control.label === "function" ? control.label(state) : control.label;
    element(`control-${control.name}`).querySelector("label").textContent = text;
    if (control.options) {
      const options = optionsOf(control, state);
      if ([...field.options].map(option => option.value).join() !== Object.keys(options).join())
        field.replaceChildren(...Object.entries(options).map(([value, label]) => new Option(label, value)));
      field.value = state[control.name];
    } else {
      const values = control.values(state);
      const number = element(`${control.name}-number`);
      field.max = values.length - 1;
      field.value = nearest(values, state[control.name]);
      field.setAttribute("aria-valuetext", String(state[control.name]));
      number.setAttribute("aria-label", `${text}, as a number`);
      [number.min, number.max] = [values[0], values[values.length - 1]];
      if (number !== source) number.value = state[control.name];
    }
  }
}

CONTROLS.forEach(makeControl);
element("controls").addEventListener("submit", event => event.preventDefault());
element("controls").addEventListener("change", event => {
  if (event.target.tagName === "SELECT") state = allowed({ ...state, [event.target.id]: event.target.value });
  fill();
  settle();
});
element("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText(location.href);
    element("summary").textContent = "The link is in the clipboard.";
  } catch {
    element("summary").textContent = `The link is ${location.href}`;
  }
});
addEventListener("hashchange", () => {
  state = allowed(Object.fromEntries(new URLSearchParams(location.hash.slice(1))));
  fill();
  settle();
});
addEventListener("resize", redraw);
fill();
settle();
