// Figures in tables, the runs, and what it all comes to in a sentence.
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
    add(
        'Late (load > 1)',
        ...columns.map(c =>
            element(
                'td',
                c.summary.late ? 'bad' : '',
                countText(c.summary.late),
                c.summary.late ? element('small', '', percentText(c.summary.late / c.summary.count)) : null,
            ),
        ),
    );
    add('Mean', ...columns.map(c => loadCell(c.summary.mean, c.budget)));
    SHARE_NAMES.forEach((name, k) =>
        add(name, ...columns.map(c => loadCell(c.summary.percentiles[k], c.budget, c.summary.count * (10000 - SHARES[k]) < 10000))),
    );
    add('Maximum', ...columns.map(c => loadCell(c.summary.max, c.budget)));
    table.replaceChildren(element('thead', '', headRow('', ...head)), element('tbody', '', ...rows));
}

function fillRuns(host, model) {
    host.replaceChildren(
        ...model.runs.map((run, r) => {
            const { info } = run;
            return element(
                'div',
                `run${r === 1 ? ' b' : ''}`,
                element('b', '', info.name),
                `${info.rate / 1000} kHz, quantum of ${plural(info.quantum, 'frame')}, budget ${timeText(info.budgetNs)}`,
                element('br'),
                `${plural(run.length, 'quantum', 'quanta')}, ${durationText(run.length / run.quantaPerSecond)} from ${info.startTime}`,
                element('br'),
                `${info.machine} · SspHost ${info.engineVersion}`,
            );
        }),
    );
}

/** One sentence that says how it went. */
function verdict(model) {
    const parts = model.runs.flatMap((run, r) => {
        const { whole } = run,
            sentence = [];
        if (r > 0) sentence.push(element('br'));
        if (model.runs.length > 1) sentence.push(element('b', '', short(run.info.name, 60)), ': ');
        if (whole.count === 0) return [...sentence, 'no quantum was recorded. '];
        sentence.push(
            `${plural(whole.count, 'quantum', 'quanta')} in ${durationText(run.length / run.quantaPerSecond)}: half of them took up to ${percentText(whole.percentiles[0])} of their time, the worst `,
            element('b', whole.max > 1 ? 'bad' : '', percentText(whole.max)),
            '. ',
        );
        const lost = run.marks.filter(m => m.kind === 'Dropout');
        sentence.push(
            element('b', whole.late ? 'bad' : '', whole.late ? `${plural(whole.late, 'was', 'were')} late` : 'None was late'),
            lost.length
                ? [
                      ' and ',
                      element(
                          'b',
                          'bad',
                          `${plural(lost.length, 'dropout')} lost ${plural(
                              lost.reduce((n, m) => n + m.lostFrames, 0),
                              'frame',
                          )}`,
                      ),
                  ]
                : ', and no frame was lost',
            '. ',
        );
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
