// The page asks the server for surfaces and races, and draws them; it computes no descent itself.
"use strict";

const COLOURS = ["#ff8c42", "#ffe14d", "#ff5d8f", "#8dff9a", "#c79bff", "#ffffff", "#ff4d4d", "#7de0ff"];
const CHART_COLOURS_LIGHT = ["#d9600f", "#b58900", "#d81b60", "#1b8a3a", "#7b3fc4", "#6b7280", "#c62828", "#0284c7"];
const RAMP = [[7, 24, 46], [12, 52, 88], [20, 92, 128], [48, 138, 160], [112, 184, 190], [188, 222, 220], [240, 247, 245]];
const RACE_S = 7;
const LEVELS = 22;

const $ = (id) => document.getElementById(id);
const dark = matchMedia("(prefers-color-scheme: dark)");
const still = matchMedia("(prefers-reduced-motion: reduce)");

let known, ground, result = null;
let state = null;
let clock = 0, playing = true, dirty = true, last = 0, asked = 0, timer = 0;

const make = (tag, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
};
const colour = (i) => COLOURS[i % COLOURS.length];
const chartColour = (i) => (dark.matches ? COLOURS : CHART_COLOURS_LIGHT)[i % COLOURS.length];
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const short = (x, digits = 3) => (x === null || x === undefined ? "" : Number(x.toPrecision(digits)).toString());

async function ask(path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  const response = await fetch(path, options);
  const value = await response.json();
  if (!response.ok) throw new Error(value.error || response.statusText);
  return value;
}

// ---- settings -------------------------------------------------------------------------------

function settingsOf(lesson) {
  const race = structuredClone(known.lessons[lesson].race);
  return { lesson, condition: 100, noise: 0, seed: 0, start: null, ...race };
}

function remember() {
  const { lesson, ...race } = state;
  const plain = lesson && JSON.stringify(settingsOf(lesson)) === JSON.stringify(state);
  history.replaceState(null, "", "#" + (plain ? lesson : encodeURIComponent(JSON.stringify(race))));
}

function recall() {
  const text = decodeURIComponent(location.hash.slice(1));
  if (Object.hasOwn(known.lessons, text)) return settingsOf(text);
  try {
    const race = JSON.parse(text);
    const sound = (racer) => known.rules[racer.rule] && known.lengths[racer.length ?? "constant"];
    if (known.surfaces[race.surface] && race.racers?.length && race.racers.every(sound)) {
      return { lesson: null, condition: 100, noise: 0, seed: 0, start: null, steps: 100, ...race };
    }
  } catch { /* an address that says nothing: begin with the first lesson */ }
  return settingsOf(Object.keys(known.lessons)[0]);
}

function change(edit, { surface = false } = {}) {
  edit();
  remember();
  clearTimeout(timer);
  timer = setTimeout(() => refresh(surface), 60);
}

async function refresh(surface) {
  const ticket = ++asked;
  try {
    if (surface || !ground) {
      const query = new URLSearchParams({ name: state.surface, condition: state.condition, points: 161 });
      const found = await ask("/api/surface?" + query);
      if (ticket !== asked) return;
      ground = { ...found, painting: paint(found) };
      fill();  // rates that were left to the server are known now
    }
    const { lesson, ...race } = state;
    const found = await ask("/api/race", race);
    if (ticket !== asked) return;
    result = found;
    $("error").hidden = true;
    const steps = Math.max(1, ...result.racers.map((r) => r.points.length - 1));
    $("scrub").max = steps;
    clock = still.matches ? steps : 0;
    playing = !still.matches;
    dirty = true;
    showShape();
  } catch (error) {
    if (ticket !== asked) return;
    $("error").textContent = error.message;
    $("error").hidden = false;
  }
}

function showShape() {
  const [low, high] = [ground.curvatures[0], ground.curvatures.at(-1)];
  $("shape").textContent =
    `At the deepest minimum the curvature is ${short(low)} to ${short(high)} (condition number ` +
    `${short(high / low)}); plain descent diverges there above α = ${short(2 / high)}.`;
}

// ---- controls -------------------------------------------------------------------------------

function option(value, text) { return make("option", { value, textContent: text }); }

function buildControls() {
  for (const [name, lesson] of Object.entries(known.lessons)) {
    const button = make("button", { type: "button", textContent: lesson.title });
    button.dataset.lesson = name;
    button.onclick = () => load(settingsOf(name));
    $("lessons").append(button);
  }
  for (const name of Object.keys(known.surfaces)) $("surface").append(option(name, name.replace("_", " ")));
  $("surface").onchange = () => {
    change(() => {
      Object.assign(state, { surface: $("surface").value, start: null, lesson: null });
      for (const racer of state.racers) delete racer.rate;
    }, { surface: true });
    fill();
  };
  $("condition").onchange = () => setCondition(Number($("condition").value));
  $("condition-range").oninput = () => setCondition(Number((10 ** $("condition-range").value).toPrecision(3)));
  for (const name of ["steps", "noise", "seed"]) {
    $(name).onchange = () => change(() => { state[name] = Number($(name).value); });
  }
  $("add").onclick = () => {
    change(() => state.racers.push({ rule: "momentum", length: "constant" }));
    fill();
  };
  $("play").onclick = togglePlay;
  $("again").onclick = () => { clock = 0; playing = true; };
  $("scrub").oninput = () => { clock = Number($("scrub").value); playing = false; dirty = true; };
}

function setCondition(value) {
  change(() => { state.condition = value; }, { surface: true });
  $("condition").value = value;
  $("condition-range").value = Math.log10(Math.max(1, value));
}

function togglePlay() {
  if (!playing && clock >= Number($("scrub").max)) clock = 0;
  playing = !playing;
  dirty = true;
}

function load(settings) {
  state = settings;
  fill();
  change(() => {}, { surface: true });
}

function fill() {
  const lesson = known.lessons[state.lesson];
  $("lesson").replaceChildren(
    ...(lesson ? [make("strong", { textContent: lesson.title + ". " }), lesson.text]
      : [make("strong", { textContent: "Your own race. " }), known.surfaces[state.surface].lesson + "."]));
  for (const button of $("lessons").children) {
    const chosen = button.dataset.lesson === state.lesson;
    button.setAttribute("aria-pressed", String(chosen));
    if (chosen) $("lessons").scrollTo({ left: button.offsetLeft - $("lessons").offsetLeft - 40 });
  }
  $("surface").value = state.surface;
  $("condition-label").hidden = state.surface !== "bowl";
  $("condition").value = state.condition;
  $("condition-range").value = Math.log10(state.condition);
  for (const name of ["steps", "noise", "seed"]) $(name).value = state[name];
  $("racers").replaceChildren(...state.racers.map(racerCard));
  $("add").hidden = state.racers.length >= known.limits.racers[1];
  dirty = true;
}

function racerCard(racer, i) {
  const card = make("div", { className: "card racer" });
  card.style.borderLeftColor = chartColour(i);
  const rule = make("select", { ariaLabel: "rule" });
  for (const [name, { title }] of Object.entries(known.rules)) rule.append(option(name, title));
  rule.value = racer.rule;
  rule.onchange = () => { change(() => { racer.rule = rule.value; delete racer.rate; }); fill(); };
  const close = make("button", { type: "button", className: "close", textContent: "×", ariaLabel: "remove" });
  close.onclick = () => { change(() => state.racers.splice(i, 1)); fill(); };
  close.hidden = state.racers.length < 2;
  const length = make("select", { ariaLabel: "step length" });
  for (const name of Object.keys(known.lengths)) length.append(option(name, name));
  length.value = racer.length ?? "constant";
  length.onchange = () => { change(() => { racer.length = length.value; }); fill(); };
  card.append(make("div", { className: "top" }, rule, close));
  const pair = make("div", { className: "row two" }, make("label", {}, "step length", length), clipSelect(racer));
  card.append(pair);
  const knobs = make("div", { className: "knobs" });
  if (!known.lengths[length.value].searches) {
    knobs.append(slider("rate α", racer, "rate", [-4, 1], rateOf(racer)));
  }
  if (known.rules[racer.rule].remembers) knobs.append(momentumSlider(racer));
  for (const name of ["clip_norm", "clip_value"]) {
    if (racer[name]) knobs.append(slider("threshold", racer, name, [-2, 2], racer[name]));
  }
  card.append(knobs);
  card.append(make("p", { className: "ending" }));
  return card;
}

const rateOf = (racer) => racer.rate ?? (ground?.rates ?? known.surfaces[state.surface].rates)[racer.rule];

function clipSelect(racer) {
  const clip = make("select", { ariaLabel: "clipping" });
  clip.append(option("", "none"), option("clip_norm", "norm"), option("clip_value", "each value"));
  clip.value = racer.clip_norm ? "clip_norm" : racer.clip_value ? "clip_value" : "";
  clip.onchange = () => {
    change(() => {
      delete racer.clip_norm;
      delete racer.clip_value;
      if (clip.value) racer[clip.value] = 1;
    });
    fill();
  };
  return make("label", {}, "clipping", clip);
}

function slider(title, racer, name, [low, high], value) {
  const range = make("input", { type: "range", min: low, max: high, step: 0.01, ariaLabel: title });
  const number = make("input", { type: "number", step: "any", min: known.limits[name][0], max: known.limits[name][1], ariaLabel: title });
  range.value = Math.log10(value);
  number.value = short(value);
  range.oninput = () => {
    const chosen = Number((10 ** range.value).toPrecision(3));
    number.value = chosen;
    change(() => { racer[name] = chosen; });
  };
  number.onchange = () => {
    range.value = Math.log10(Number(number.value));
    change(() => { racer[name] = Number(number.value); });
  };
  return make("label", {}, title, make("span", { className: "pair" }, range, number));
}

function momentumSlider(racer) {
  const range = make("input", { type: "range", min: 0, max: 0.99, step: 0.01, value: racer.momentum ?? 0.9, ariaLabel: "momentum" });
  const number = make("input", { type: "number", min: 0, max: 0.999, step: "any", value: racer.momentum ?? 0.9, ariaLabel: "momentum" });
  range.oninput = () => { number.value = range.value; change(() => { racer.momentum = Number(range.value); }); };
  number.onchange = () => { range.value = number.value; change(() => { racer.momentum = Number(number.value); }); };
  return make("label", {}, "momentum γ", make("span", { className: "pair" }, range, number));
}

function showEndings() {
  result.racers.forEach((racer, i) => {
    const line = $("racers").children[i]?.querySelector(".ending");
    if (!line) return;
    const k = Math.min(Math.floor(clock), racer.points.length - 1);
    const done = clock >= racer.points.length - 1;
    const arrived = racer.arrival !== null && clock >= racer.arrival;
    const words = arrived ? `arrived at step ${racer.arrival}` : done ? racer.ending : "running";
    const text = `${words} · J ${short(racer.values[k])}`;
    if (line.dataset.text === text) return;
    line.dataset.text = text;
    line.replaceChildren(make("b", { textContent: words }), ` · J = ${short(racer.values[k], 4)}`);
  });
}

// ---- the map --------------------------------------------------------------------------------

function shade(t) {
  const x = Math.min(0.9999, Math.max(0, t)) * (RAMP.length - 1);
  const k = Math.floor(x), s = x - k;
  return RAMP[k].map((c, j) => c + s * (RAMP[k + 1][j] - c));
}

// Levels lie evenly in the root of the height, so that a valley's floor shows as its walls do.
function paint(surface) {
  const n = surface.points;
  const low = Math.min(...surface.values);
  const heights = surface.values.map((v) => Math.sqrt(v - low));
  const top = Math.max(...heights) || 1;
  const canvas = make("canvas", { width: n, height: n });
  const context = canvas.getContext("2d");
  const image = context.createImageData(n, n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const [r, g, b] = shade(0.9 * heights[row * n + column] / top);
      image.data.set([r, g, b, 255], 4 * ((n - 1 - row) * n + column));
    }
  }
  context.putImageData(image, 0, 0);
  const lines = [];
  for (let k = 1; k < LEVELS; k++) lines.push(contour(heights, n, (k / LEVELS) * top));
  return { canvas, lines };
}

// Marching squares: the pieces of one level, in grid coordinates.
function contour(heights, n, level) {
  const pieces = [];
  const cross = (a, b) => (level - a) / (b - a);
  for (let y = 0; y < n - 1; y++) {
    for (let x = 0; x < n - 1; x++) {
      const a = heights[y * n + x], b = heights[y * n + x + 1];
      const d = heights[(y + 1) * n + x], c = heights[(y + 1) * n + x + 1];
      const points = [];
      if ((a < level) !== (b < level)) points.push([x + cross(a, b), y]);
      if ((b < level) !== (c < level)) points.push([x + 1, y + cross(b, c)]);
      if ((d < level) !== (c < level)) points.push([x + cross(d, c), y + 1]);
      if ((a < level) !== (d < level)) points.push([x, y + cross(a, d)]);
      for (let k = 0; k + 1 < points.length; k += 2) pieces.push([...points[k], ...points[k + 1]]);
    }
  }
  return pieces;
}

function fit(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) Object.assign(canvas, { width: w, height: h });
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

const toScreen = (size, [x, y]) => {
  const w = ground.half_width;
  return [((x + w) / (2 * w)) * size, ((w - y) / (2 * w)) * size];
};

function drawMap() {
  const { context, width } = fit($("map"));
  context.imageSmoothingEnabled = true;
  context.drawImage(ground.painting.canvas, 0, 0, width, width);
  drawContours(context, width);
  for (const [i, minimum] of ground.minima.entries()) {
    star(context, ...toScreen(width, minimum), i === 0 ? 10 : 7);
  }
  if (!result) return;
  result.racers.forEach((racer, i) => drawTrail(context, width, racer, colour(i)));
  const begin = result.racers[0].points[0];
  if (begin) ring(context, ...toScreen(width, begin), 6, "#ffffff", "#0b1f33");
  result.racers.forEach((racer, i) => {
    const at = place(racer, clock);
    if (at) ring(context, ...toScreen(width, at), 7, colour(i), "#0b1f33");
  });
}

function drawContours(context, size) {
  const scale = size / (ground.points - 1);
  context.strokeStyle = "rgb(255 255 255 / 26%)";
  context.lineWidth = 0.8;
  context.beginPath();
  for (const pieces of ground.painting.lines) {
    for (const [x0, y0, x1, y1] of pieces) {
      context.moveTo(x0 * scale, size - y0 * scale);
      context.lineTo(x1 * scale, size - y1 * scale);
    }
  }
  context.stroke();
}

function place(racer, time) {
  const n = racer.points.length;
  if (!n) return null;
  const k = Math.min(Math.floor(time), n - 1);
  const next = racer.points[Math.min(k + 1, n - 1)];
  const s = Math.min(time - k, 1);
  return racer.points[k].map((x, j) => x + s * (next[j] - x));
}

function drawTrail(context, size, racer, ink) {
  const end = Math.min(Math.floor(clock), racer.points.length - 1);
  const points = racer.points.slice(0, end + 1).map((p) => toScreen(size, p));
  const head = place(racer, clock);
  if (!head) return;
  const path = new Path2D();
  points.forEach(([x, y], k) => (k ? path.lineTo(x, y) : path.moveTo(x, y)));
  path.lineTo(...toScreen(size, head));
  context.lineJoin = "round";
  context.strokeStyle = "rgb(4 16 30 / 55%)";
  context.lineWidth = 4;
  context.stroke(path);
  context.strokeStyle = ink;
  context.lineWidth = 2;
  context.stroke(path);
  const radius = racer.points.length > 200 ? 1.6 : 2.6;
  context.fillStyle = ink;
  for (const [x, y] of points) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.fill();
  }
}

function ring(context, x, y, radius, fillInk, edge) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fillInk;
  context.fill();
  context.strokeStyle = edge;
  context.lineWidth = 2;
  context.stroke();
}

function star(context, x, y, radius) {
  context.beginPath();
  for (let k = 0; k < 10; k++) {
    const r = k % 2 ? radius * 0.45 : radius;
    const a = -Math.PI / 2 + (k * Math.PI) / 5;
    context.lineTo(x + r * Math.cos(a), y + r * Math.sin(a));
  }
  context.closePath();
  context.fillStyle = "#ffffff";
  context.fill();
  context.strokeStyle = "#0b1f33";
  context.lineWidth = 1.2;
  context.stroke();
}

function pointAt(event) {
  const box = $("map").getBoundingClientRect();
  const w = ground.half_width;
  return [((event.clientX - box.left) / box.width) * 2 * w - w, w - ((event.clientY - box.top) / box.height) * 2 * w];
}

function setStart(point) {
  $("hint").classList.add("gone");
  const w = ground.half_width;
  change(() => { state.start = point.map((x) => Number(Math.min(w, Math.max(-w, x)).toFixed(3))); });
}

function listenToMap() {
  $("map").addEventListener("click", (event) => ground && setStart(pointAt(event)));
  $("map").addEventListener("pointermove", (event) => {
    if (!ground) return;
    const [x, y] = pointAt(event);
    const n = ground.points, w = ground.half_width;
    const cell = (v) => Math.min(n - 1, Math.max(0, Math.round(((v + w) / (2 * w)) * (n - 1))));
    $("readout").textContent = `θ = (${x.toFixed(2)}, ${y.toFixed(2)})   J ≈ ${short(ground.values[cell(y) * n + cell(x)])}`;
  });
  $("map").addEventListener("pointerleave", () => { $("readout").textContent = ""; });
  $("map").addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    if (event.key === " ") { event.preventDefault(); togglePlay(); }
    if (!moves[event.key] || !ground) return;
    event.preventDefault();
    const step = ground.half_width / 40;
    const from = state.start ?? ground.start;
    setStart(from.map((x, j) => x + step * moves[event.key][j]));
  });
}

// ---- charts ---------------------------------------------------------------------------------

// Each series is a list of curves; all share a logarithmic axis.
function drawChart(canvas, series, floor) {
  const { context, width, height } = fit(canvas);
  const logs = series.map((curves) => curves.map((c) => c.map((v) => (v > floor ? Math.log10(v) : null))));
  const all = logs.flat(2).filter((v) => v !== null);
  if (!all.length) return;
  let low = Math.floor(Math.min(...all)), high = Math.ceil(Math.max(...all));
  if (high === low) high = low + 1;
  const steps = Number($("scrub").max);
  const box = { left: 40, right: width - 14, top: 6, bottom: height - 18 };
  const px = (k) => box.left + (k / steps) * (box.right - box.left);
  const py = (v) => box.bottom - ((v - low) / (high - low)) * (box.bottom - box.top);
  drawAxes(context, box, { low, high, steps, px, py });
  logs.forEach((curves, i) => {
    const ink = chartColour(i);
    if (curves.length === 2) fillBetween(context, curves, { px, py, ink });
    for (const curve of curves) {
      context.globalAlpha = 0.22;
      trace(context, curve, curve.length, { px, py, ink });
      context.globalAlpha = 1;
      trace(context, curve, Math.floor(clock) + 1, { px, py, ink });
    }
  });
  context.strokeStyle = css("--quiet");
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(px(Math.min(clock, steps)), box.top);
  context.lineTo(px(Math.min(clock, steps)), box.bottom);
  context.stroke();
}

function drawAxes(context, box, { low, high, steps, px, py }) {
  context.font = "11px system-ui, sans-serif";
  context.fillStyle = css("--quiet");
  context.strokeStyle = css("--line");
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  const every = Math.max(1, Math.ceil((high - low) / 5));
  for (let v = low; v <= high; v += every) {
    context.beginPath();
    context.moveTo(box.left, py(v));
    context.lineTo(box.right, py(v));
    context.stroke();
    context.fillText(v >= -2 && v <= 3 ? String(10 ** v) : `1e${v}`, box.left - 6, py(v));
  }
  context.textAlign = "center";
  context.textBaseline = "alphabetic";
  const unit = 10 ** Math.floor(Math.log10(steps / 4 || 1));
  const tick = [1, 2, 5, 10].map((m) => m * unit).find((u) => steps / u <= 5) || unit;
  for (let k = 0; k <= steps; k += Math.max(1, tick)) context.fillText(String(k), px(k), box.bottom + 14);
}

function trace(context, curve, count, { px, py, ink }) {
  context.strokeStyle = ink;
  context.lineWidth = 1.7;
  context.beginPath();
  let down = false;
  curve.slice(0, count).forEach((v, k) => {
    if (v === null) { down = false; return; }
    if (down) context.lineTo(px(k), py(v)); else context.moveTo(px(k), py(v));
    down = true;
  });
  context.stroke();
}

function fillBetween(context, [lower, upper], { px, py, ink }) {
  const count = Math.min(Math.floor(clock) + 1, lower.length);
  context.beginPath();
  for (let k = 0; k < count; k++) if (upper[k] !== null) context.lineTo(px(k), py(upper[k]));
  for (let k = count - 1; k >= 0; k--) if (lower[k] !== null) context.lineTo(px(k), py(lower[k]));
  context.closePath();
  context.globalAlpha = 0.13;
  context.fillStyle = ink;
  context.fill();
  context.globalAlpha = 1;
}

function drawCharts() {
  const racers = result.racers;
  drawChart($("values"), racers.map((r) => [r.values.map((v) => (v === null ? null : Math.max(v - result.lowest, 0)))]), 1e-12);
  drawChart($("gradients"), racers.map((r) => [r.gradients]), 1e-9);
  drawChart($("rates"), racers.map((r) => [r.rates.map((pair) => pair[0]), r.rates.map((pair) => pair[1])]), 1e-9);
}

// ---- time -----------------------------------------------------------------------------------

function frame(now) {
  const passed = Math.min(0.1, (now - last) / 1000);
  last = now;
  if (ground && (playing || dirty)) {
    dirty = false;
    const steps = Number($("scrub").max);
    if (playing && result) clock = Math.min(steps, clock + (passed * steps * Number($("speed").value)) / RACE_S);
    if (playing && clock >= steps && result) {
      playing = false;
      dirty = true;
    }
    drawMap();
    if (result) {
      drawCharts();
      showEndings();
      $("scrub").value = clock;
      $("step").textContent = `${Math.floor(clock)} / ${steps}`;
      $("play").textContent = playing ? "Pause" : clock >= steps ? "Replay" : "Play";
    }
  }
  requestAnimationFrame(frame);
}

async function begin() {
  known = await ask("/api/lab");
  buildControls();
  listenToMap();
  load(recall());
  addEventListener("hashchange", () => load(recall()));
  dark.addEventListener("change", () => { fill(); dirty = true; });
  new ResizeObserver(() => { dirty = true; }).observe(document.body);
  requestAnimationFrame(frame);
}

begin().catch((error) => {
  $("error").textContent = `The lab did not answer: ${error.message}`;
  $("error").hidden = false;
});
