// Figures in tables, and what a comparison means in words.
function loadCell(load, budget, few = false) {
  return element('td', few ? 'few' : '', loadText(load), element('small', '', timeText(load * budget)));
}

/** columns: { name, summary, budget, run }; with two runs a column of differences follows. */
function fillFigures(table, columns, model) {
  const compared = model.runs.length > 1;
  const head = columns.map(c => element('span', '', compared ? element('span', `swatch${c.run === 1 ? ' b' : ''}`) : null, c.name));
  const rows = [];
  const add = (name, ...cells) => rows.push(element('tr', '', element('th', '', name), ...cells));
  const plain = text => element('td', '', text);
  add('Quanta', ...columns.map(c => plain(countText(c.summary.count))));
  add('Not recorded', ...columns.map(c => plain(countText(c.summary.gaps))));
  add('Late (load > 1)', ...columns.map(c => element('td', c.summary.late ? 'bad' : '', countText(c.summary.late), c.summary.late ? element('small', '', percentText(c.summary.late / c.summary.count)) : null)));
  add('Mean', ...columns.map(c => loadCell(c.summary.mean, c.budget)));
  SHARE_NAMES.forEach((name, k) => add(name, ...columns.map(c => loadCell(c.summary.percentiles[k], c.budget, c.summary.count * (10000 - SHARES[k]) < 10000))));
  add('Maximum', ...columns.map(c => loadCell(c.summary.max, c.budget)));
  table.replaceChildren(element('thead', '', headRow('', ...head)), element('tbody', '', ...rows));
}

function fillRuns(host, model) {
  host.replaceChildren(...model.runs.map((run, r) => {
    const { info } = run, packed = run.length ? `${significant(run.characters / run.length, 2)} bytes each in this file` : '';
    return element('div', `run${r === 1 ? ' b' : ''}`, element('b', '', info.name), `${info.rate / 1000} kHz, quantum of ${plural(info.quantum, 'frame')}, budget ${timeText(info.budgetNs)}`, element('br'),
      `${plural(run.length, 'quantum', 'quanta')}, ${durationText(run.length / run.quantaPerSecond)} from ${info.startTime}${packed ? `, ${packed}` : ''}`, element('br'), `${info.machine} · SspHost ${info.engineVersion}`);
  }));
}

/** One sentence that says how it went. */
function verdict(model) {
  const parts = model.runs.flatMap((run, r) => {
    const { whole } = run, sentence = [];
    if (model.runs.length > 1) sentence.push(element('b', '', short(run.info.name, 60)), ': ');
    if (whole.count === 0) return [...sentence, 'no quantum was recorded. '];
    sentence.push(`${plural(whole.count, 'quantum', 'quanta')} in ${durationText(run.length / run.quantaPerSecond)}: half of them took up to ${percentText(whole.percentiles[0])} of their time, the worst `,
      element('b', whole.max > 1 ? 'bad' : '', percentText(whole.max)), '. ');
    const lost = run.marks.filter(m => m.kind === 'Dropout');
    sentence.push(element('b', whole.late ? 'bad' : '', whole.late ? `${plural(whole.late, 'was', 'were')} late` : 'None was late'),
      lost.length ? [' and ', element('b', 'bad', `${plural(lost.length, 'dropout')} lost ${plural(lost.reduce((n, m) => n + m.lostFrames, 0), 'frame')}`)] : ', and no frame was lost', '. ');
    if (whole.gaps) sentence.push(`${plural(whole.gaps, 'quantum was', 'quanta were')} not recorded. `);
    return sentence.flat();
  });
  return parts;
}

function intro(model) {
  const { info } = model.runs[0];
  return [
    element('b', '', 'What am I looking at? '),
    `The engine computes sound in quanta: here ${plural(info.quantum, 'frame')} at a time, for which it has ${timeText(info.budgetNs)}. A quantum's load is the time it took divided by the time it had: `,
    '1 is all of it, above 1 it was late (red), and when the card ran dry frames were lost and you heard it. ',
    element('b', '', 'An average hides the one quantum you heard'),
    ': a single load of 4 among a million moves the mean by four millionths. So this plot never averages; each column shows the highest and lowest quantum in it. Click a peak to see what was going on inside.',
  ];
}

function fillComparison(host, model, countsA, countsB, part) {
  const [a, b] = model.runs, first = summarise(countsA), second = summarise(countsB), ks = kolmogorovSmirnov(countsA, countsB);
  const names = [short(a.info.name, 40), short(b.info.name, 40)];
  const heading = element('h2', '', `Compared${part ? ', in the range shown' : ''}`);
  heading.id = 'comparison-heading';
  const rows = [['Mean', first.mean, second.mean], ...SHARE_NAMES.map((n, k) => [n, first.percentiles[k], second.percentiles[k]]), ['Maximum', first.max, second.max]];
  const table = element('table', 'compare', element('thead', '', headRow('', element('span', '', element('span', 'swatch'), names[0]), element('span', '', element('span', 'swatch b'), names[1]), 'shift', 'as a share')),
    element('tbody', '', ...rows.map(([name, x, y]) => element('tr', '', element('th', '', name), loadCell(x, a.info.budgetNs), loadCell(y, b.info.budgetNs),
      element('td', '', Number.isFinite(y - x) ? signed(significant(y - x, 3), y - x) : '–'), element('td', '', Number.isFinite(y / x) ? signed(percentText((y - x) / x), y - x) : '–')))));
  host.hidden = false;
  host.replaceChildren(heading, ...comparisonWords(first, second, ks, names).map(w => element('p', 'words', ...w)), element('div', 'scroll', table));
  host.dataset.distance = String(ks.distance);
}

function comparisonWords(first, second, ks, names) {
  if (first.count === 0 || second.count === 0) return [['One of the two has no quantum here: there is nothing to compare.']];
  const d = ks.distance;
  const size = d < 0.01 ? 'practically the same distribution' : d < 0.1 ? 'a small difference' : d < 0.3 ? 'a clear difference' : d < 0.7 ? 'a large difference' : 'two different worlds';
  const chance = 1.36 * Math.sqrt((first.count + second.count) / (first.count * second.count));
  const words = [['Kolmogorov-Smirnov distance ', element('b', '', significant(d, 4)), `: ${size}. `,
    d > 0 ? `It is largest at a load of ${loadText(ks.load)}, which ${percentText(ks.a)} of the quanta of ${names[0]} did not exceed, but ${percentText(ks.b)} of ${names[1]}. ` : 'The two curves are one. ',
    '0 is the same distribution, 1 is no overlap at all; ', `chance alone would give up to about ${significant(chance, 2)} in 19 of 20 cases if quanta were independent of each other (neighbours seldom are).`]];
  const change = second.percentiles[0] - first.percentiles[0], worst = second.max - first.max;
  const typical = Math.abs(change) < 0.01 * first.percentiles[0] ? 'takes as long in both' : change < 0 ? `is ${percentText(-change / first.percentiles[0])} faster in ${names[1]}` : `is ${percentText(change / first.percentiles[0])} slower in ${names[1]}`;
  const extreme = Math.abs(worst) < 0.01 * first.max ? 'about the same' : worst < 0 ? `lower in ${names[1]} (${loadText(second.max)} against ${loadText(first.max)})` : `higher in ${names[1]} (${loadText(second.max)} against ${loadText(first.max)})`;
  words.push([`The typical quantum (p50) ${typical}; the worst is ${extreme}; late were ${countText(first.late)} of ${names[0]} and ${countText(second.late)} of ${names[1]}. `,
    'The distance speaks of the bulk: a click in a million quanta changes it by a millionth. For clicks look at the tail and the maximum.']);
  return words;
}

function percentileOfBuckets(buckets, share) {
  const count = buckets.reduce((n, b) => n + b.count, 0), rank = Math.max(1, Math.ceil(count * share / 10000));
  let seen = 0;
  for (const b of buckets) {
    seen += b.count;
    if (seen >= rank) return b.toNs;
  }
  return NaN;
}

function fillModules(table, model) {
  const rows = model.runs.flatMap((run, r) => run.info.modules.map(module => ({ module, r })));
  document.getElementById('modules-card').hidden = rows.length === 0;
  rows.sort((x, y) => y.module.meanNs - x.module.meanNs);
  table.replaceChildren(element('thead', '', headRow('Module', 'quanta', 'mean', 'p50', 'p99', 'p99.9', 'maximum', 'spread')));
  const body = element('tbody');
  for (const { module, r } of rows) {
    const curve = element('canvas', 'curve'), cell = share => element('td', '', timeText(Math.min(module.maxNs, percentileOfBuckets(module.buckets, share))));
    body.append(element('tr', '', element('td', 'name', runMark(model, r), short(module.name)), element('td', '', countText(module.buckets.reduce((n, b) => n + b.count, 0))),
      element('td', '', timeText(module.meanNs)), cell(5000), cell(9900), cell(9990), element('td', '', timeText(module.maxNs)), element('td', '', curve)));
  }
  table.append(body);
  drawModuleCurves(table, model, rows);
}

function drawModuleCurves(table, model, rows) {
  const used = rows.flatMap(({ module }) => module.buckets.filter(b => b.count > 0));
  if (used.length === 0) return;
  const from = Math.log(Math.max(1, Math.min(...used.map(b => b.fromNs)))), to = Math.max(from + 1e-3, Math.log(Math.max(2, ...used.map(b => b.toNs))));
  table.querySelectorAll('canvas').forEach((canvas, k) => {
    const sheet = new Sheet(canvas), c = sheet.begin(), { module, r } = rows[k];
    const most = Math.log(1 + Math.max(1, ...module.buckets.map(b => b.count)));
    c.fillStyle = model.tone.rule;
    c.fillRect(0, sheet.height - 1, sheet.width, 1);
    c.fillStyle = r === 0 ? model.tone.a : model.tone.b;
    for (const b of module.buckets) {
      if (b.count === 0) continue;
      const left = (Math.log(Math.max(1, b.fromNs)) - from) / (to - from) * sheet.width, right = (Math.log(Math.max(1, b.toNs)) - from) / (to - from) * sheet.width;
      const height = Math.max(1, Math.log(1 + b.count) / most * sheet.height);
      c.fillRect(left, sheet.height - height, Math.max(1, right - left), height);
    }
  });
}
