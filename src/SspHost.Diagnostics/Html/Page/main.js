// Brings the page to life: reads the runs, and draws what the model holds when that changes.
async function start() {
    const began = performance.now(),
        holder = document.getElementById('report'),
        by = id => document.getElementById(id);
    const report = JSON.parse(holder.textContent);
    holder.remove();
    const runs = [];
    for (const [r, info] of report.runs.entries()) runs.push(new Run(info, await unpackLoads(`loads-${r}`)));
    const model = new Model(runs),
        plot = new LoadPlot(by('plot'), model),
        overview = new Overview(by('overview'), model);
    const distributions = new Distributions(model),
        zones = new ZoneView(by('detail'), model);
    let frame = 0,
        later = 0,
        viewed = null;

    const draw = () => {
        frame = 0;
        plot.draw();
        overview.draw();
    };
    const inView = run => [
        Math.max(0, Math.floor(model.view.from * run.ratio + 1e-6)),
        Math.min(run.length, Math.ceil(model.view.to * run.ratio - 1e-6)),
    ];
    const drawDistributions = () => {
        const one = runs.length === 1,
            whole = model.isWhole(),
            series = [];
        runs.forEach((run, r) => {
            const colour = r === 0 ? model.tone.a : model.tone.b;
            if (one && !whole) series.push({ counts: run.counts, summary: run.whole, colour, alpha: 0.32 });
            series.push({ counts: viewed[r].counts, summary: viewed[r].summary, colour, alpha: one ? 1 : 0.75 });
        });
        distributions.draw(series);
        by('shape-note').textContent = whole
            ? 'Of the whole run. Zoom into the plot and these curves show that part.'
            : one
              ? 'Strong: what the plot shows now. Pale: the whole run.'
              : 'Of what the plot shows now.';
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
    const redraw = () => {
        if (!frame) frame = requestAnimationFrame(draw);
    };
    const tellCursor = () => {
        const { cursor } = model,
            readout = by('readout');
        if (!cursor) {
            readout.textContent = runs.every(r => r.length === 0)
                ? 'No quantum was recorded: there is nothing to plot.'
                : 'Point at the plot for exact values; click for what happened inside a quantum.';
            return;
        }
        const run = runs[cursor.run],
            { index } = cursor,
            code = run.codes[index],
            parts = [];
        if (runs.length > 1) parts.push(short(run.info.name, 40), ' · ');
        parts.push(
            element('b', '', `${secondsText(index / run.quantaPerSecond, 1e-4)} s`),
            ` · quantum ${countText(run.info.firstQuantum + index)} · `,
            ...(code === GAP
                ? ['not recorded']
                : [
                      'load ',
                      element('b', code > ONE ? 'bad' : '', loadText(loadOf[code])),
                      ` = ${timeText(loadOf[code] * run.info.budgetNs)} of ${timeText(run.info.budgetNs)}`,
                  ]),
        );
        for (const mark of run.marks)
            if (mark.index === index)
                parts.push(' · ', element('span', `tag ${mark.kind.toLowerCase()}`, kindText(mark)), ` ${short(markText(mark))}`);
        if (cursor.to - cursor.from > 1) {
            const { min } = run.pyramid.range(cursor.from, cursor.to, {});
            parts.push(
                ` · the highest of ${countText(cursor.to - cursor.from)} quanta here${min === GAP ? '' : `, the lowest ${loadText(loadOf[min])}`}`,
            );
        }
        if (run.spikeAt.has(index)) parts.push(' · zones kept');
        readout.replaceChildren(...parts);
    };

    Object.assign(model.listeners, {
        draw: redraw,
        view: () => {
            clearTimeout(later);
            later = setTimeout(settle, 80);
        },
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
    by('plot').setAttribute(
        'aria-label',
        `Load of ${plural(runs[0].length, 'quantum', 'quanta')} over ${durationText(runs[0].length / runs[0].quantaPerSecond)}`,
    );
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', repaint);
    let width = innerWidth;
    new ResizeObserver(() => {
        if (innerWidth === width) return redraw();
        width = innerWidth;
        repaint();
        return undefined;
    }).observe(by('plot'));
    draw();
    const took = Math.round(performance.now() - began);
    const sizes = runs.map(run => {
        const each = run.length ? `, ${significant(run.characters / run.length, 3)} bytes each in this file` : '';
        return `${plural(run.length, 'load')} as 16-bit codes (error at most 1/8192 of a load above 1/16)${each}`;
    });
    by('footer').textContent = `${sizes.join('; ')}. Read and drawn in ${took} ms. This file holds everything it shows and fetches nothing.`;
    document.documentElement.dataset.ready = String(took);

    // For scripts that look at the page from outside.
    return {
        view: () => ({ ...model.view }),
        show: (from, to) => {
            model.show(from, to);
            draw();
            clearTimeout(later);
            settle();
        },
        place: (index, load, r = 0) => ({
            left: Math.round(plot.x(runs[r], index)),
            right: Math.round(plot.x(runs[r], index + 1)),
            y: plot.y(load),
            top: plot.area.top,
            bottom: plot.area.bottom,
            columnLeft: plot.area.left,
            columnRight: plot.area.right,
            ratio: plot.sheet.ratio,
        }),
        column: (index, r = 0) => {
            for (let p = 0; p < plot.area.right - plot.area.left; p++)
                if (plot.edge(runs[r], p) <= index && index < plot.edge(runs[r], p + 1)) return plot.area.left + p;
            return -1;
        },
        draw,
        figures: () => ({
            whole: runs.map(r => r.whole),
            view: viewed.map(v => v.summary),
            distance: runs.length > 1 ? kolmogorovSmirnov(viewed[0].counts, viewed[1].counts) : null,
        }),
        cursor: () => model.cursor && { ...model.cursor },
        selected: () => model.selected && { ...model.selected },
    };
}

window.loadReport = start();
window.loadReport.catch(error => {
    document
        .getElementById('verdict')
        .replaceChildren(
            element('b', 'bad', 'This report could not be read: '),
            String(error?.message ?? error),
            typeof DecompressionStream === 'undefined' ? ' This browser has no DecompressionStream; one from 2023 or later has.' : '',
        );
});
