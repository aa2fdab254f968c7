// The theory for a browser: kernels of wide networks, their spectra, and the equations of a finite population.
// Each part follows the module of the library that it names, in the same symbols; tests/test_predict_page.py compares them.
"use strict";

const ROUNDING = 1e-12;  // of a number of modes that is a sum of fractions
const sum = (values, term = value => value) => values.reduce((total, value, index) => total + term(value, index), 0);
const range = length => Array.from({ length }, (_, index) => index);

// Dual kernels (kernels/duals.py) of two points of equal variance q and covariance c: [k, kdot].

const determinant = (scale, q, c) => 1 + 2 * scale * q + scale * scale * Math.max(0, (q - c) * (q + c));

function piecewiseLinear(negative, positive) {
  const [linear, bent] = [(positive + negative) / 2, (positive - negative) / 2];
  return (q, c) => {
    const area = Math.sqrt(Math.max(0, (q - c) * (q + c)));
    const angle = Math.atan2(c, area);
    const share = bent * bent * 2 / Math.PI;
    return [(area + c * angle) * share + linear * linear * c, angle * share + linear * linear];
  };
}

const DUALS = {
  relu: piecewiseLinear(0, 1),
  leaky_relu: piecewiseLinear(0.01, 1),
  abs: piecewiseLinear(-1, 1),
  identity: (q, c) => [c, 1],
  erf(q, c) {
    const root = Math.sqrt(determinant(2, q, c));
    return [Math.atan2(2 * c, root) * 2 / Math.PI, 4 / Math.PI / root];
  },
  gelu(q, c) {
    const area = Math.max(0, (q - c) * (q + c));
    const root = Math.sqrt(determinant(1, q, c));
    const [cdf, pdf] = [0.25 + Math.atan2(c, root) / (2 * Math.PI), 1 / (2 * Math.PI * root)];
    const shrunk = 2 / (1 + q);
    return [c * cdf + pdf * (area + c * c * shrunk), cdf + c * pdf * (shrunk + 1 / (root * root))];
  },
  sin(q, c) {
    const sign = c >= 0 ? 1 : -1;
    const decay = Math.exp(-Math.max(0, q - Math.abs(c)));
    return [sign * decay * Math.expm1(-2 * sign * c) / -2, decay * (1 + Math.exp(-2 * sign * c)) / 2];
  },
  gaussian(q, c) {
    const d = determinant(2, q, c);
    return [1 / Math.sqrt(d), 4 * c / (d * Math.sqrt(d))];
  },
};

// The tangent kernel (kernels/fully_connected.py) at points whose overlap x.x'/fan_in with the first is given; first itself first.
function tangentKernel({ depth, activation, weight_std, bias_std }, overlaps) {
  const [w2, b2] = [weight_std ** 2, bias_std ** 2];
  const readout = depth === 0;
  let sigma = overlaps.map(overlap => readout ? overlap : w2 * overlap + b2);
  let theta = sigma;
  for (let layer = 1; layer <= depth; layer++) {
    const [scale, shift] = layer === depth ? [1, 0] : [w2, b2];
    const duals = sigma.map(c => DUALS[activation](sigma[0], c));
    sigma = duals.map(([k]) => scale * k + shift);
    theta = theta.map((before, point) => sigma[point] + scale * duals[point][1] * before);
  }
  return theta;
}

// Spectra on symmetric domains (domains/hypercube.py, circle.py, sphere.py), {levels: [{mode, lambda, multiplicity}], tail}.

function compensated(terms) {  // Neumaier's sum, where the library takes fsum
  let [total, lost] = [0, 0];
  for (const term of terms) {
    const next = total + term;
    lost += Math.abs(total) >= Math.abs(term) ? total - next + term : term - next + total;
    total = next;
  }
  return total + lost;
}

const krawtchouk = remembered(dim => {
  const rows = [range(dim + 1).map(() => 1), range(dim + 1).map(j => dim - 2 * j)];
  for (let k = 1; k < dim; k++)
    rows.push(range(dim + 1).map(j => ((dim - 2 * j) * rows[k][j] - (dim - k + 1) * rows[k - 1][j]) / (k + 1)));
  return rows;
});

function hypercube(dim, network, { rounding, unresolved }) {
  const profile = tangentKernel(network, range(dim + 1).map(j => (dim - 2 * j) / dim));
  const rows = krawtchouk(dim);
  const counts = rows.map(row => row[0]);
  const found = rows.map((row, k) => {
    const terms = profile.map((value, j) => counts[j] / 2 ** dim * value * (row[j] / counts[k]));
    return [k, counts[k], compensated(terms), rounding * sum(terms, Math.abs)];
  });
  return resolved(found, profile[0], unresolved);
}

const cosines = remembered(points => Float64Array.from(range(points), j => Math.cos(2 * Math.PI * j / points)));

function circle(points, network, { rounding, unresolved }) {
  const table = cosines(points);
  const profile = tangentKernel(network, Array.from(table, cosine => cosine / 2));
  const noise = rounding * sum(profile, Math.abs) / points;
  const found = range(Math.floor(points / 2) + 1).map(k => {
    let total = 0;
    for (let j = 0; j < points; j++) total += profile[j] * table[j * k % points];
    return [k, k === 0 || 2 * k === points ? 1 : 2, total / points, noise];
  });
  return resolved(found, profile[0], unresolved);
}

const legendre = remembered(number => {  // nodes in ascending order and weights of Gauss and Legendre
  return range(number).map(index => {
    let x = -Math.cos(Math.PI * (index + 0.75) / (number + 0.5)), slope = 1;
    for (let step = 0; step < 8; step++) {
      let [before, now] = [1, x];
      for (let k = 2; k <= number; k++) [before, now] = [now, ((2 * k - 1) * x * now - (k - 1) * before) / k];
      slope = number * (x * now - before) / (x * x - 1);
      const change = now / slope;
      x -= change;
      if (Math.abs(change) < 1e-15) break;
    }
    return [x, 2 / ((1 - x * x) * slope * slope)];
  });
});

const angles = remembered((dim, { nodes_per_degree, max_degree }) => {
  const rule = legendre(nodes_per_degree * max_degree + 10 * Math.floor(Math.sqrt(dim)) + 200);
  const angle = rule.map(([x]) => Math.PI * (x + 1) / 2);
  const logs = rule.map(([, weight], node) => Math.log(weight) + (dim - 2) * Math.log(Math.sin(angle[node])));
  const most = Math.max(...logs);
  const weights = logs.map(log => Math.exp(log - most));
  const total = sum(weights);
  return { cosines: angle.map(Math.cos), weights: weights.map(weight => weight / total) };
});

function sphere(dim, network, settings) {
  const { rounding, unresolved, max_degree } = settings;
  const { cosines, weights } = angles(dim, settings);
  const profile = tangentKernel(network, [1, ...cosines]);
  const weighted = Float64Array.from(weights, (weight, node) => weight * profile[node + 1]);
  const [totals, sizes] = [new Float64Array(max_degree + 1), new Float64Array(max_degree + 1)];
  for (let node = 0; node < cosines.length; node++) {
    const [t, value, size] = [cosines[node], weighted[node], Math.abs(weighted[node])];
    for (let degree = 0, before = 1, now = t; degree <= max_degree; degree++) {
      totals[degree] += value * before;
      sizes[degree] += size * Math.abs(before);
      const next = ((2 * degree + dim) * t * now - (degree + 1) * before) / (degree + dim - 1);
      before = now;
      now = next;
    }
  }
  const found = [];
  for (let k = 0, count = 1; k <= max_degree && Number.isFinite(count); k++) {
    found.push([k, count < 2 ** 50 ? Math.round(count) : count, totals[k], rounding * (1 + k) * sizes[k]]);
    count *= (2 * k + dim) * (k + dim - 2) / ((2 * k + dim - 2) * (k + 1));
  }
  return resolved(found, profile[0], unresolved);
}

// Spectrum.resolved (spectra/spectrum.py): what rounding lets us see of [mode, multiplicity, lambda, noise].
function resolved(found, trace, unresolved) {
  const above = found.map(([, , lambda, noise]) => lambda > noise);
  const lost = above.findIndex((seen, level) => !seen && above[level + 1] === false);
  if (lost >= 0) above.fill(false, lost);
  const tail = trace - sum(found, ([, count, lambda], level) => above[level] ? count * lambda : 0);
  const complete = tail <= unresolved * trace;
  const levels = found
    .map(([mode, multiplicity, lambda], level) => ({ mode, multiplicity, lambda: above[level] ? lambda : 0 }))
    .filter((_, level) => complete || above[level]);
  return { levels, tail: complete ? 0 : tail, trace };
}

// The equations of theory/finite_population.py, whose limit of an infinite population are the paper's, theory/eigenlearning.py.
// spectrum: {levels: [{lambda, multiplicity, power}], tail, beyond}, power the squared coefficients, `beyond` those in the tail.
// Returns a function of n, delta and sigma, whose result holds besides the predictions `learned`, L of every level, and what
// else takes a share of n: n = sum m L + tail + ridge.
function solver({ levels, tail, beyond }, population) {
  const finite = Number.isFinite(population);
  const positive = levels.filter(({ lambda }) => lambda > 0);
  const nodes = [...positive];
  if (finite && tail > 0) {
    const rest = population - sum(positive, level => level.multiplicity);
    nodes.push({ lambda: tail / rest, multiplicity: rest, power: beyond });
  }
  const unit = Math.max(...nodes.map(level => level.lambda), 0) || 1;
  const lambdas = Float64Array.from(nodes, level => level.lambda / unit);
  const counts = Float64Array.from(nodes, level => level.multiplicity);
  const powers = Float64Array.from(nodes, level => level.power);
  const modes = sum(counts);
  const rank = Math.abs(population - modes) < ROUNDING * population ? population : modes;
  const zeros = finite ? Math.max(population - rank, 0) : 0;
  const endless = finite ? 0 : tail / unit;  // a tail of infinitely many modes
  const unlearnable = sum(levels, level => level.lambda > 0 ? 0 : level.power) + (finite && tail > 0 ? 0 : beyond);
  const power = sum(levels, level => level.power) + beyond;
  const trace = sum(counts, (count, i) => count * lambdas[i]) + endless;
  const smallest = lambdas.reduce((least, lambda) => Math.min(least, lambda), Infinity);

  function sums(kappa) {
    let total = 0, missed = 0, spread = 0, squares = 0, square = 0, learned = 0, bias = 0;
    for (let i = 0; i < lambdas.length; i++) {
      const ratio = kappa / lambdas[i];
      const L = 1 / (1 + ratio), M = ratio > 0 ? 1 / (1 + 1 / ratio) : 0;
      total += counts[i] * L;
      missed += counts[i] * M;
      spread += counts[i] * L * M;
      squares += counts[i] * L * L;
      square += counts[i] * M * M;
      learned += powers[i] * L;
      bias += powers[i] * M * M;
    }
    const over = endless > 0 ? endless / kappa : 0;
    const [u, meanSquare] = finite ? [(missed + zeros) / population, (square + zeros) / population] : [1, 1];
    return { total, missed, spread, squares, u, meanSquare, learned, bias: bias + unlearnable, over };
  }

  // theory/newton.py: the conservation law n = total + over + u delta/kappa, for log kappa, held in a bracket.
  function balanced(n, ridge) {
    const few = n <= rank / 2;
    const least = finite ? ridge / population : (ridge + endless) / n;
    let low = Math.log(Math.max(least, n < rank ? smallest * (rank - n) / n : 0) / 2);
    let high = Math.log(trace + ridge) - Math.log(n);
    let x = Number.isFinite(high + low) ? (high + low) / 2 : high;
    high += 1e-9;
    for (let step = 0; step < 200; step++) {
      const kappa = Math.exp(x);
      const { total, missed, spread, u, meanSquare, over } = sums(kappa);
      const [paid, fall] = [ridge / kappa * u, ridge / kappa * meanSquare];
      const up = few ? n : missed + Math.max(n - rank, 0);
      const down = over + paid + (few ? total : Math.max(rank - n, 0));
      const slope = few ? (spread + over + fall) / down : spread / up + (over + fall) / down;
      const change = (Math.log(up) - Math.log(down)) / slope;
      if (change > 0) high = Math.min(high, x);
      if (change < 0) low = Math.max(low, x);
      let next = x - change;
      if (!(next >= low && next <= high)) next = (low + high) / 2;
      const done = Math.abs(next - x) <= 1e-12 * Math.max(1, Math.abs(x));
      x = next;
      if (done) break;
    }
    return Math.exp(x);
  }

  return (n, delta, sigma) => {
    const ridge = delta / unit;
    const vanishing = ridge + endless === 0 && n >= rank;  // kappa = 0
    const kappa = vanishing ? 0 : balanced(n, ridge);
    const limit = !finite ? n - rank : population > rank ? (n - rank) / (1 - rank / population) : population;
    const rho = vanishing ? limit : ridge / kappa;
    const whole = vanishing && finite && zeros <= 0;  // all points are known, without a ridge
    const { total, spread, squares, u, meanSquare, learned, bias, over } = sums(whole ? 1e-140 : kappa);
    const noise = sigma * sigma;
    const pull = spread + over + rho * meanSquare;
    const unexplained = bias + noise * meanSquare;
    const damped = (value, factor) => factor > 0 ? value * factor : 0;
    const perMode = damped((1 - (finite ? rho / population : 0)) / pull, unexplained) + (finite ? noise / population : 0);
    const off = damped(n / (u * pull), unexplained);
    const residual = whole ? 0 : rho * u / n;
    return {
      kappa: kappa * unit,
      learnability: learned / power,
      test_mse: (whole ? 0 : bias) + squares * perMode + noise,
      test_mse_off_train: off,
      train_mse: damped(off, residual * residual),
      learned: levels.map(({ lambda }) => lambda > 0 ? 1 / (1 + kappa * unit / lambda) : 0),
      tail: over + total - sum(positive, level => level.multiplicity / (1 + kappa * unit / level.lambda)),
      ridge: rho * u,
    };
  };
}

// The results of a function, kept by its first argument.
function remembered(make) {
  const values = new Map();
  return (key, ...rest) => {
    if (!values.has(key)) values.set(key, make(key, ...rest));
    return values.get(key);
  };
}
