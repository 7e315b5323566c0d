// Times of the modules: percentiles from their histograms, and a small curve each.
function percentileOfBuckets(buckets, share) {
    const count = buckets.reduce((n, b) => n + b.count, 0),
        rank = Math.max(1, Math.ceil((count * share) / 10000));
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
        const curve = element('canvas', 'curve'),
            cell = share => element('td', '', timeText(Math.min(module.maxNs, percentileOfBuckets(module.buckets, share))));
        body.append(
            element(
                'tr',
                '',
                element('td', 'name', runMark(model, r), short(module.name)),
                element('td', '', countText(module.buckets.reduce((n, b) => n + b.count, 0))),
                element('td', '', timeText(module.meanNs)),
                cell(5000),
                cell(9900),
                cell(9990),
                element('td', '', timeText(module.maxNs)),
                element('td', '', curve),
            ),
        );
    }
    table.append(body);
    drawModuleCurves(table, model, rows);
}

function drawModuleCurves(table, model, rows) {
    const used = rows.flatMap(({ module }) => module.buckets.filter(b => b.count > 0));
    if (used.length === 0) return;
    const from = Math.log(Math.max(1, Math.min(...used.map(b => b.fromNs)))),
        to = Math.max(from + 1e-3, Math.log(Math.max(2, ...used.map(b => b.toNs))));
    table.querySelectorAll('canvas').forEach((canvas, k) => {
        const sheet = new Sheet(canvas),
            c = sheet.begin(),
            { module, r } = rows[k];
        const most = Math.log(1 + Math.max(1, ...module.buckets.map(b => b.count)));
        c.fillStyle = model.tone.rule;
        c.fillRect(0, sheet.height - 1, sheet.width, 1);
        c.fillStyle = r === 0 ? model.tone.a : model.tone.b;
        for (const b of module.buckets) {
            if (b.count === 0) continue;
            const left = ((Math.log(Math.max(1, b.fromNs)) - from) / (to - from)) * sheet.width,
                right = ((Math.log(Math.max(1, b.toNs)) - from) / (to - from)) * sheet.width;
            const height = Math.max(1, (Math.log(1 + b.count) / most) * sheet.height);
            c.fillRect(left, sheet.height - height, Math.max(1, right - left), height);
        }
    });
}
