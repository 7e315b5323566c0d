// Worst quanta and incidents: each leads to its place.
const WORST = 25,
    INCIDENTS = 60;

/** The n highest quanta, highest first, of equals the earliest. */
function worstQuanta(run, n) {
    let least = CODES - 1,
        left = n;
    while (least > 1 && run.counts[least] < left) left -= run.counts[least--];
    const found = [];
    const collect = (code, most) => {
        for (let i = 0; most > 0 && (i = run.pyramid.first(i, run.length, code)) >= 0; i++) {
            if (code === least && run.codes[i] !== least) continue;
            found.push(i);
            most--;
        }
    };
    collect(least + 1, n);
    collect(least, n - found.length);
    return found.sort((a, b) => run.codes[b] - run.codes[a] || a - b);
}

function fillWorst(host, model) {
    const rows = model.runs.flatMap((run, r) => worstQuanta(run, WORST).map(index => ({ run, r, index })));
    rows.sort((x, y) => y.run.codes[y.index] - x.run.codes[x.index]);
    const shown = rows.slice(0, WORST),
        most = shown.length ? loadOf[shown[0].run.codes[shown[0].index]] : 1;
    host.replaceChildren(
        ...shown.map(({ run, r, index }) => {
            const load = loadOf[run.codes[index]],
                fill = element('i');
            fill.style.width = `${(100 * load) / most}%`;
            return button(
                `worst${r === 1 ? ' b' : ''}${load > 1 ? ' over' : ''}`,
                () => model.jump(r, index),
                element('b', '', loadText(load)),
                element('span', 'track', fill),
                element(
                    'span',
                    'where',
                    runMark(model, r),
                    `${secondsText(index / run.quantaPerSecond, 1e-3)} s · # ${countText(run.info.firstQuantum + index)}${run.spikeAt.has(index) ? ' · zones' : ''}`,
                ),
            );
        }),
    );
    if (shown.length === 0) host.replaceChildren(element('p', 'empty', 'No quantum was recorded.'));
}

function fillIncidents(host, model, most = INCIDENTS) {
    const rows = model.runs.flatMap((run, r) => run.marks.map(mark => ({ run, r, mark })));
    host.replaceChildren(
        ...rows.slice(0, most).map(({ run, r, mark }) => {
            const seconds = (mark.quantum - run.info.firstQuantum) / run.quantaPerSecond;
            return button(
                'incident',
                () => mark.index !== null && model.jump(r, mark.index),
                element('span', `tag ${mark.kind.toLowerCase()}`, kindText(mark)),
                element('span', 'what', short(markText(mark), 300)),
                element(
                    'span',
                    'where',
                    runMark(model, r),
                    mark.index === null
                        ? `# ${countText(mark.quantum)} · outside this history`
                        : `${secondsText(seconds, 1e-3)} s · # ${countText(mark.quantum)}${run.spikeAt.has(mark.index) ? ' · zones' : ''}`,
                ),
            );
        }),
    );
    if (rows.length === 0) host.replaceChildren(element('p', 'empty', 'None: nothing was lost, and no thread had to be looked at.'));
    if (rows.length > most)
        host.append(
            element(
                'div',
                'more',
                button('', () => fillIncidents(host, model, most * 4), `${countText(rows.length - most)} more`),
            ),
        );
}

function runMark(model, r) {
    return model.runs.length > 1 ? element('span', `swatch${r === 1 ? ' b' : ''}`) : null;
}
