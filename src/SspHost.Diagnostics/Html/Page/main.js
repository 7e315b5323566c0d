// Brings the page to life: reads the runs, holds what is shown, and draws it again when that changes.
class Run {
  constructor(info, { codes, characters }) {
    Object.assign(this, { info, codes, characters, length: codes.length, ratio: 1 });
    this.quantaPerSecond = info.rate / info.quantum;
    this.pyramid = new Pyramid(codes);
    this.counts = countCodes(codes, 0, codes.length);
    this.whole = summarise(this.counts);
    const indexOf = quantum => {
      const index = quantum - info.firstQuantum;
      return index >= 0 && index < codes.length ? index : null;
    };
    this.marks = info.marks.map(m => ({ ...m, index: indexOf(m.quantum) })).sort((a, b) => a.quantum - b.quantum);
    this.spikes = info.spikes.map(s => ({ ...s, index: indexOf(s.quantum) })).filter(s => s.index !== null).sort((a, b) => a.index - b.index);
    this.spikeAt = new Map(this.spikes.map(s => [s.index, s]));
  }

  /** Quanta with a code above this. */
  above(code) {
    let n = 0;
    for (let c = code + 1; c < CODES; c++) n += this.counts[c];
    return n;
  }

  /** The kept quanta next to an index, the nearest first. */
  nearestSpikes(index) {
    return [...this.spikes].sort((a, b) => Math.abs(a.index - index) - Math.abs(b.index - index)).slice(0, 3);
  }
}

class Model {
  constructor(runs) {
    this.runs = runs;
    for (const run of runs) run.ratio = run.quantaPerSecond / runs[0].quantaPerSecond;
    this.extent = Math.max(LEAST_SPAN, ...runs.map(run => run.length / run.ratio));
    this.view = { from: 0, to: this.extent };
    this.max = Math.max(1.2, ...runs.filter(r => r.whole.count > 0).map(r => r.whole.max * 1.05));
    this.min = Math.min(0.5, ...runs.filter(r => r.whole.count > 0).map(r => r.whole.min * 0.85));
    this.scale = this.max > 6 ? 'log' : 'linear';
    this.selected = this.cursor = null;
    this.tone = colours();
    this.listeners = { draw: () => {}, view: () => {}, select: () => {}, cursor: () => {}, scale: () => {} };
  }

  verticalScale(bottom, top) { return this.scale === 'log' ? new Scale('log', this.min, this.max * 1.1, bottom, top) : new Scale('linear', 0, this.max, bottom, top); }

  changed() { this.listeners.draw(); }

  isWhole() { return this.view.from <= 0 && this.view.to >= this.extent; }

  /** Shows [from, to) in quanta of the first run, moved into the run and not narrower than allowed. */
  show(from, to) {
    const span = Math.min(this.extent, Math.max(LEAST_SPAN, to - from)), middle = (from + to) / 2;
    const start = Math.min(this.extent - span, Math.max(0, to - from < LEAST_SPAN ? middle - span / 2 : from));
    this.view = { from: start, to: start + span };
    this.listeners.view();
    this.changed();
  }

  move(quanta) {
    const { from, to } = this.view, by = Math.max(-from, Math.min(this.extent - to, quanta));
    this.show(from + by, to + by);
  }

  zoom(factor, around) {
    const { from, to } = this.view, span = Math.min(this.extent, Math.max(LEAST_SPAN, (to - from) * factor));
    const start = around - (around - from) / (to - from) * span;
    this.show(start, start + span);
  }

  centre(at) {
    const half = (this.view.to - this.view.from) / 2;
    this.show(at - half, at + half);
  }

  /** Where zooming by key or button aims: the crosshair if it is in view, else the middle. */
  focus() {
    const at = this.cursor ? (this.cursor.index + 0.5) / this.runs[this.cursor.run].ratio : -1;
    return at >= this.view.from && at <= this.view.to ? at : (this.view.from + this.view.to) / 2;
  }

  pointAt(found) {
    this.cursor = found;
    this.listeners.cursor();
    this.changed();
  }

  step(by) {
    const r = this.cursor?.run ?? 0, run = this.runs[r];
    if (run.length === 0) return;
    const index = this.cursor ? Math.min(run.length - 1, Math.max(0, this.cursor.index + by)) : Math.min(run.length - 1, Math.floor(this.focus() * run.ratio));
    this.reach(r, index);
  }

  /** Puts the crosshair on a quantum and makes sure it is in view. */
  reach(r, index) {
    const at = (index + 0.5) / this.runs[r].ratio;
    if (at < this.view.from || at > this.view.to) this.centre(at);
    this.pointAt({ run: r, index });
  }

  jumpLate(direction) {
    let best = null;
    const at = this.cursor ? this.cursor.index / this.runs[this.cursor.run].ratio : direction > 0 ? this.view.from - 1 : this.view.to;
    this.runs.forEach((run, r) => {
      const here = at * run.ratio;
      const late = direction > 0 ? run.pyramid.first(Math.max(0, Math.floor(here + 1e-6) + 1), run.length, ONE + 1) : run.pyramid.last(0, Math.min(run.length, Math.ceil(here - 1e-6)), ONE + 1);
      const places = run.marks.filter(m => m.index !== null && (direction > 0 ? m.index > here + 1e-6 : m.index < here - 1e-6)).map(m => m.index);
      if (late >= 0) places.push(late);
      for (const index of places) {
        const distance = Math.abs(index - here) / run.ratio;
        if (!best || distance < best.distance) best = { r, index, distance };
      }
    });
    if (best) this.reach(best.r, best.index);
  }

  jumpWorst() {
    const worst = this.runs.map((run, r) => ({ r, index: run.pyramid.highest(0, run.length), run })).filter(w => w.index >= 0).sort((x, y) => y.run.codes[y.index] - x.run.codes[x.index])[0];
    if (worst) this.jump(worst.r, worst.index);
  }

  /** Zooms to a quantum and its surroundings. */
  reveal(r, index) {
    const at = (index + 0.5) / this.runs[r].ratio, half = Math.min(150, (this.view.to - this.view.from) / 2);
    this.show(at - half, at + half);
    this.pointAt({ run: r, index });
  }

  jump(r, index) {
    this.reveal(r, index);
    this.select(r, index);
  }

  select(r, index) {
    this.selected = r === null ? null : { run: r, index };
    if (this.selected) this.pointAt({ run: r, index });
    this.listeners.select();
    this.changed();
  }

  setScale(scale) {
    this.scale = scale;
    this.listeners.scale();
    this.changed();
  }
}

async function start() {
  const began = performance.now(), holder = document.getElementById('report'), by = id => document.getElementById(id);
  const report = JSON.parse(holder.textContent);
  holder.remove();
  const runs = [];
  for (const [r, info] of report.runs.entries()) runs.push(new Run(info, await unpackLoads(`loads-${r}`)));
  const model = new Model(runs), plot = new LoadPlot(by('plot'), model), overview = new Overview(by('overview'), model);
  const distributions = new Distributions(model), zones = new ZoneView(by('detail'), model);
  let frame = 0, later = 0, viewed = null;

  const draw = () => {
    frame = 0;
    plot.draw();
    overview.draw();
  };
  const inView = run => [Math.max(0, Math.floor(model.view.from * run.ratio + 1e-6)), Math.min(run.length, Math.ceil(model.view.to * run.ratio - 1e-6))];
  const drawDistributions = () => {
    const one = runs.length === 1, whole = model.isWhole(), series = [];
    runs.forEach((run, r) => {
      const colour = r === 0 ? model.tone.a : model.tone.b;
      if (one && !whole) series.push({ counts: run.counts, summary: run.whole, colour, alpha: 0.32 });
      series.push({ counts: viewed[r].counts, summary: viewed[r].summary, colour, alpha: one ? 1 : 0.75 });
    });
    distributions.draw(series);
    by('shape-note').textContent = whole ? 'Of the whole run. Zoom into the plot and these curves show that part.' : one ? 'Strong: what the plot shows now. Pale: the whole run.' : 'Of what the plot shows now.';
  };
  const settle = () => {
    later = 0;
    viewed = runs.map(run => {
      if (model.isWhole()) return { counts: run.counts, summary: run.whole };
      const counts = countCodes(run.codes, ...inView(run));
      return { counts, summary: summarise(counts) };
    });
    const columns = [];
    runs.forEach((run, r) => {
      const name = runs.length > 1 ? short(run.info.name, 40) : '';
      columns.push({ name: name || 'whole run', summary: run.whole, budget: run.info.budgetNs, run: r });
      columns.push({ name: name ? `${name}, in view` : 'in view', summary: viewed[r].summary, budget: run.info.budgetNs, run: r });
    });
    fillFigures(by('figures'), columns, model);
    drawDistributions();
    if (runs.length > 1) fillComparison(by('comparison'), model, viewed[0].counts, viewed[1].counts, !model.isWhole());
  };
  const redraw = () => { if (!frame) frame = requestAnimationFrame(draw); };
  const tellCursor = () => {
    const { cursor } = model, readout = by('readout');
    if (!cursor) {
      readout.textContent = runs.every(r => r.length === 0) ? 'No quantum was recorded: there is nothing to plot.' : 'Point at the plot for exact values; click for what happened inside a quantum.';
      return;
    }
    const run = runs[cursor.run], { index } = cursor, code = run.codes[index], parts = [];
    if (runs.length > 1) parts.push(short(run.info.name, 40), ' · ');
    parts.push(element('b', '', `${secondsText(index / run.quantaPerSecond, 1e-4)} s`), ` · quantum ${countText(run.info.firstQuantum + index)} · `,
      ...(code === GAP ? ['not recorded'] : ['load ', element('b', code > ONE ? 'bad' : '', loadText(loadOf[code])), ` = ${timeText(loadOf[code] * run.info.budgetNs)} of ${timeText(run.info.budgetNs)}`]));
    for (const mark of run.marks) if (mark.index === index) parts.push(' · ', element('span', `tag ${mark.kind.toLowerCase()}`, kindText(mark)), ` ${short(markText(mark))}`);
    if (cursor.to - cursor.from > 1) {
      const { min } = run.pyramid.range(cursor.from, cursor.to, {});
      parts.push(` · the highest of ${countText(cursor.to - cursor.from)} quanta here${min === GAP ? '' : `, the lowest ${loadText(loadOf[min])}`}`);
    }
    if (run.spikeAt.has(index)) parts.push(' · zones kept');
    readout.replaceChildren(...parts);
  };

  Object.assign(model.listeners, {
    draw: redraw,
    view: () => { clearTimeout(later); later = setTimeout(settle, 80); },
    select: () => zones.show(model.selected, document.activeElement !== by('plot')),
    cursor: tellCursor,
    scale: () => {
      for (const kind of ['linear', 'log']) by(kind).setAttribute('aria-pressed', String(model.scale === kind));
      drawDistributions();
    },
  });
  new Gestures(by('plot'), plot, model);
  const wire = (id, action) => by(id).addEventListener('click', action);
  wire('zoom-in', () => model.zoom(0.5, model.focus()));
  wire('zoom-out', () => model.zoom(2, model.focus()));
  wire('reset', () => model.show(0, model.extent));
  wire('previous', () => model.jumpLate(-1));
  wire('next', () => model.jumpLate(1));
  wire('linear', () => model.setScale('linear'));
  wire('log', () => model.setScale('log'));

  by('verdict').replaceChildren(...verdict(model));
  by('intro').replaceChildren(...intro(model));
  fillRuns(by('runs'), model);
  fillWorst(by('worst'), model);
  fillIncidents(by('incidents'), model);
  const repaint = () => {
    model.tone = colours();
    fillLegend(by('legend'), model);
    fillModules(by('modules'), model);
    redraw();
    drawDistributions();
  };
  settle();
  repaint();
  model.listeners.scale();
  tellCursor();
  by('plot').setAttribute('aria-label', `Load of ${plural(runs[0].length, 'quantum', 'quanta')} over ${durationText(runs[0].length / runs[0].quantaPerSecond)}`);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
  let width = innerWidth;
  new ResizeObserver(() => {
    if (innerWidth === width) return redraw();
    width = innerWidth;
    repaint();
    return undefined;
  }).observe(by('plot'));
  draw();
  const bytes = document.documentElement.dataset;
  by('footer').textContent = `${runs.map(r => `${countText(r.length)} loads as 16-bit codes (error at most 1/8192 of a load above 1/16), deflated: ${countText(r.characters)} characters`).join('; ')}. `
    + `Read and drawn in ${Math.round(performance.now() - began)} ms. This file holds everything it shows and fetches nothing.`;
  bytes.ready = String(Math.round(performance.now() - began));

  // For scripts that look at the page from outside.
  return {
    view: () => ({ ...model.view }),
    show: (from, to) => { model.show(from, to); draw(); clearTimeout(later); settle(); },
    place: (index, load, r = 0) => ({
      left: Math.round(plot.x(runs[r], index)), right: Math.round(plot.x(runs[r], index + 1)), y: plot.y(load), top: plot.area.top, bottom: plot.area.bottom,
      columnLeft: plot.area.left, columnRight: plot.area.right, ratio: plot.sheet.ratio,
    }),
    column: (index, r = 0) => {
      for (let p = 0; p < plot.area.right - plot.area.left; p++) if (plot.edge(runs[r], p) <= index && index < plot.edge(runs[r], p + 1)) return plot.area.left + p;
      return -1;
    },
    draw,
    figures: () => ({ whole: runs.map(r => r.whole), view: viewed.map(v => v.summary), distance: runs.length > 1 ? kolmogorovSmirnov(viewed[0].counts, viewed[1].counts) : null }),
    cursor: () => model.cursor && { ...model.cursor },
    selected: () => model.selected && { ...model.selected },
  };
}

function fillLegend(host, model) {
  const sign = paint => {
    const canvas = element('canvas'), sheet = new Sheet(canvas);
    Object.defineProperties(canvas, { clientWidth: { value: 14 }, clientHeight: { value: 14 } });
    paint(sheet.begin(), sheet);
    return canvas;
  };
  const { tone } = model, item = (paint, text) => element('li', '', sign(paint), element('span', '', text));
  const items = model.runs.map((run, r) => item((c, s) => {
    c.fillStyle = r === 0 ? tone.a : tone.b;
    c.globalAlpha = 0.2;
    c.fillRect(0, s.px(4), s.width, s.px(10));
    c.globalAlpha = 1;
    c.fillRect(0, s.px(3), s.width, s.px(3));
  }, model.runs.length > 1 ? short(run.info.name, 40) : 'lowest to highest load'));
  const marks = model.runs.flatMap(run => run.marks);
  items.push(item((c, s) => { c.fillStyle = tone.late; c.fillRect(s.px(6), s.px(2), s.px(2), s.px(12)); c.beginPath(); c.arc(s.px(7), s.px(3), s.px(2.4), 0, 7); c.fill(); }, 'over budget'));
  if (marks.some(m => m.kind === 'Late')) items.push(item((c, s) => drawSign(c, 'Late', s.px(7), s.px(4), s.px(5), tone), 'late, absorbed'));
  if (marks.some(m => m.kind === 'Dropout')) items.push(item((c, s) => drawSign(c, 'Dropout', s.px(7), s.px(4), s.px(5), tone), 'dropout: frames lost'));
  if (marks.some(m => m.kind === 'Stall')) items.push(item((c, s) => drawSign(c, 'Stall', s.px(7), s.px(3), s.px(5), tone), 'stall: a thread was looked at'));
  if (model.runs.some(run => run.whole.gaps > 0)) items.push(item((c, s) => { c.fillStyle = s.hatch(tone.gap); c.fillRect(0, 0, s.width, s.height); }, 'not recorded'));
  if (model.runs.some(run => run.spikes.length > 0)) {
    items.push(item((c, s) => { c.strokeStyle = tone.kept; c.lineWidth = s.px(1.3); c.beginPath(); c.arc(s.px(7), s.px(7), s.px(3), 0, 7); c.stroke(); }, 'zones kept: click'));
  }
  host.replaceChildren(...items);
}

window.loadReport = start();
window.loadReport.catch(error => {
  document.getElementById('verdict').replaceChildren(element('b', 'bad', 'This report could not be read: '), String(error?.message ?? error),
    typeof DecompressionStream === 'undefined' ? ' This browser has no DecompressionStream; one from 2023 or later has.' : '');
});
