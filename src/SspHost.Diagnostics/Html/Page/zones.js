// A quantum under the lens: its neighbours, what befell it, and who did what on which thread and core.
const MOST_ZONES = 4000; // drawn at most; the longest are

class ZoneView {
    constructor(host, model) {
        Object.assign(this, { host, model });
    }

    show(selected, moveFocus) {
        this.host.hidden = !selected;
        this.host.replaceChildren();
        if (!selected) return;
        const { model } = this,
            run = model.runs[selected.run],
            index = selected.index,
            code = run.codes[index];
        const spike = run.spikeAt.get(index),
            marks = run.marks.filter(m => m.index === index),
            load = loadOf[code];
        const go = to => () => model.select(selected.run, to);
        const title = element('h2', '', `Quantum ${countText(run.info.firstQuantum + index)}`);
        title.id = 'detail-heading';
        const previous = button('', go(index - 1), '← before'),
            next = button('', go(index + 1), 'after →');
        previous.disabled = index === 0;
        next.disabled = index === run.length - 1;
        this.host.append(
            element(
                'div',
                'detail-bar',
                title,
                element(
                    'div',
                    'tools',
                    previous,
                    next,
                    button('', () => model.reveal(selected.run, index), 'Show in the plot'),
                    button('', () => model.select(null), 'Close'),
                ),
            ),
            this.about(run, index, code, load),
            ...marks.map(m => this.incident(m)),
            element('h3', '', 'Before and after'),
            this.neighbours(run, selected.run, index),
        );
        if (spike) this.zones(spike, run);
        else this.offer(run, selected.run, index);
        if (moveFocus) {
            this.host.focus({ preventScroll: true });
            this.host.scrollIntoView({ block: 'nearest' });
        }
    }

    about(run, index, code, load) {
        const where = `at ${secondsText(index / run.quantaPerSecond, 1e-4)} s${this.model.runs.length > 1 ? ` of ${short(run.info.name)}` : ''}`;
        if (code === GAP) return element('p', 'about', `Nothing is known of its load: it fell into a gap of the history, ${where}.`);
        const above = codeAbove(load),
            slower = run.above(above - 1);
        const rank = slower === 0 ? 'the slowest of all' : `slower than ${percentText(1 - (slower + 1) / run.whole.count)} of all`;
        return element(
            'p',
            'about',
            'Load ',
            element('b', load > 1 ? 'bad' : '', loadText(load)),
            `: ${timeText(load * run.info.budgetNs)} of ${timeText(run.info.budgetNs)}, ${where}; ${rank}.`,
        );
    }

    incident(mark) {
        const block = element(
            'div',
            '',
            element('p', 'about', element('span', `tag ${mark.kind.toLowerCase()}`, kindText(mark)), ` ${markText(mark)}`),
        );
        if (mark.text) block.append(element('div', 'story', mark.text));
        return block;
    }

    neighbours(run, r, index) {
        const reach = this.host.clientWidth < 620 ? 2 : 6,
            from = Math.max(0, index - reach),
            to = Math.min(run.length, index + reach + 1);
        const row = element('div', 'neighbours');
        let most = ONE;
        for (let i = from; i < to; i++) most = Math.max(most, run.codes[i]);
        for (let i = from; i < to; i++) {
            const code = run.codes[i],
                column = element('i');
            column.style.height = code === GAP ? '0' : `${(100 * loadOf[code]) / loadOf[most]}%`;
            const away = i - index;
            const b = button(
                code > ONE ? 'over' : '',
                () => this.model.select(r, i),
                element('span', 'column', column),
                element('b', '', code === GAP ? 'gap' : loadText(loadOf[code])),
                element('small', '', away === 0 ? 'this' : away > 0 ? `+${away}` : `−${-away}`),
                element('small', '', run.spikeAt.has(i) ? 'zones' : ' '),
            );
            b.setAttribute(
                'aria-label',
                `Quantum ${run.info.firstQuantum + i}, load ${code === GAP ? 'not known' : loadText(loadOf[code])}${run.spikeAt.has(i) ? ', zones kept' : ''}`,
            );
            if (away === 0) b.setAttribute('aria-current', 'true');
            row.append(b);
        }
        return row;
    }

    offer(run, r, index) {
        this.host.append(element('h3', '', 'Zones'));
        if (run.spikes.length === 0) {
            this.host.append(element('p', 'about', 'No zones were kept in this run: what each thread did in this quantum is not known.'));
            return;
        }
        const near = run.nearestSpikes(index);
        this.host.append(
            element(
                'p',
                'about',
                `No zones were kept for this quantum. They were kept for ${plural(run.spikes.length, 'quantum', 'quanta')} of this run; the nearest:`,
            ),
            element(
                'div',
                'offer',
                ...near.map(s => {
                    const away = s.index - index;
                    return button(
                        'kept',
                        () => this.model.select(r, s.index),
                        `Quantum ${countText(s.quantum)}, load ${loadText(loadOf[run.codes[s.index]])}, ${countText(Math.abs(away))} ${away < 0 ? 'before' : 'after'}`,
                    );
                }),
            ),
        );
    }

    zones(spike, run) {
        const zones = [...spike.zones].sort((a, b) => b.durationNs - a.durationNs),
            drawn = zones.slice(0, MOST_ZONES);
        this.host.append(element('h3', '', 'Who did what'));
        const longest = zones.find(z => z.kind === 'module');
        if (longest) {
            const used = loadOf[run.codes[spike.index]] * run.info.budgetNs;
            this.host.append(
                element(
                    'p',
                    'about',
                    'Longest module: ',
                    element('b', '', short(longest.name)),
                    `, ${timeText(longest.durationNs)}`,
                    used > 0 ? ` (${percentText(Math.min(1, longest.durationNs / used))} of the quantum's time)` : '',
                    ` on ${laneText(longest)}.`,
                ),
            );
        }
        if (drawn.length > 0) this.host.append(...gantt(drawn, spike.facts, run.info.budgetNs, this.host.clientWidth));
        else this.host.append(element('p', 'empty', 'No zone was recorded in it.'));
        if (zones.length > drawn.length)
            this.host.append(element('p', 'note', `The ${countText(drawn.length)} longest of ${countText(zones.length)} zones are drawn.`));
        if (spike.facts.length > 0) {
            this.host.append(
                element('h3', '', 'Faults, switches, preemptions'),
                element('ul', 'facts', ...spike.facts.map(f => element('li', `fact ${f.kind.toLowerCase()}`, factText(f)))),
            );
        }
        if (spike.notes.length > 0)
            this.host.append(element('h3', '', 'Also known'), element('ul', 'facts notes', ...spike.notes.map(n => element('li', '', n))));
        if (zones.length > 0) {
            const table = element('table', 'zone-table', element('thead', '', headRow('Zone', 'thread and core', 'kind', 'from', 'took')));
            table.append(
                element(
                    'tbody',
                    '',
                    ...zones
                        .slice(0, 200)
                        .map(z =>
                            element(
                                'tr',
                                '',
                                element('td', 'name', short(z.name)),
                                element('td', 'name', laneText(z)),
                                element('td', '', z.kind),
                                element('td', '', timeText(z.startNs)),
                                element('td', '', timeText(z.durationNs)),
                            ),
                        ),
                ),
            );
            this.host.append(
                element(
                    'details',
                    'help',
                    element('summary', '', zones.length > 200 ? 'The 200 longest as a table' : 'As a table, longest first'),
                    element('div', 'scroll', table),
                ),
            );
        }
    }
}

function laneText(z) {
    return z.core >= 0 ? `${short(z.thread, 40)} · core ${z.core}` : short(z.thread, 40);
}

function factText(f) {
    const count = f.count > 1 ? `${countText(f.count)} ` : '';
    const what =
        {
            Fault: f.count > 1 ? 'page faults' : 'page fault',
            Preempted: f.count > 1 ? 'times the core was taken away' : 'core taken away',
            Switch: f.count > 1 ? 'switches' : 'switch',
            Note: '',
        }[f.kind] ?? f.kind;
    return `${short(f.thread, 40)}${f.atNs === null ? '' : ` at ${timeText(f.atNs)}`}: ${f.kind === 'Note' ? f.text : `${count}${what}${f.text ? `, ${f.text}` : ''}`}`;
}

function kindText(mark) {
    return { Late: 'Late', Dropout: 'Dropout', Stall: 'Stall' }[mark.kind] ?? mark.kind;
}

function markText(mark) {
    const parts = [];
    if (mark.lostFrames > 0) parts.push(`${plural(mark.lostFrames, 'frame')} lost`);
    if (mark.cause) parts.push(mark.cause);
    if (mark.module) parts.push(`slowest or stuck: ${short(mark.module)}`);
    if (mark.incident > 0) parts.push(`incident ${mark.incident}`);
    return parts.join('; ');
}

function headRow(...names) {
    return element('tr', '', ...names.map(n => (n instanceof Node ? element('th', '', n) : element('th', '', n))));
}
