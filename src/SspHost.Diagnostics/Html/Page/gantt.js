// The zones of a quantum over time, by thread and core.
// What is drawn hatched because nothing is done in it, and what is drawn as a frame because others are.
const QUIET = new Set(['wait', 'join', 'wake']);
const FRAMES = new Set(['quantum', 'work', 'swap']);

/** Lanes by thread and core, zones below the ones that contain them, what befell a thread as a line; and a line of text for the zone that is picked. */
function gantt(zones, facts, budget, width) {
    let from = 0,
        to = budget;
    for (const z of zones) {
        from = Math.min(from, z.startNs);
        to = Math.max(to, z.startNs + z.durationNs);
    }
    to += (to - from) * 0.01;
    const percent = ns => `${(100 * (ns - from)) / (to - from)}%`;
    const lanes = new Map();
    for (const z of zones) {
        const lane = laneText(z);
        if (!lanes.has(lane)) lanes.set(lane, { thread: z.thread, zones: [] });
        lanes.get(lane).zones.push(z);
    }
    for (const f of facts)
        if (f.atNs !== null && ![...lanes.values()].some(l => l.thread === f.thread))
            lanes.set(short(f.thread, 40), { thread: f.thread, zones: [] });
    const picked = element('p', 'picked', 'Pick a zone for its figures.'),
        box = element('div', 'lanes');
    let chosen = null;
    const order = [...lanes].sort(
        ([a, x], [b, y]) => y.thread.startsWith('audio') - x.thread.startsWith('audio') || a.localeCompare(b, 'en', { numeric: true }),
    );
    for (const [name, lane] of order) {
        const track = element('div', 'track-box'),
            depth = nest(lane.zones);
        track.style.height = `${depth * 25 + 10}px`;
        for (const z of lane.zones) {
            const b = button(`zone ${QUIET.has(z.kind) ? 'quiet' : FRAMES.has(z.kind) ? 'frame' : ''}`, () => {
                chosen?.setAttribute('aria-pressed', 'false');
                chosen = b;
                b.setAttribute('aria-pressed', 'true');
                picked.replaceChildren(
                    element('b', '', z.name),
                    ` · ${z.kind}${z.slot >= 0 ? ` in slot ${z.slot}` : ''} on ${laneText(z)} · from ${timeText(z.startNs)} · took ${timeText(z.durationNs)} · ${percentText(z.durationNs / budget)} of the budget`,
                );
            });
            const share = z.durationNs / (to - from);
            if (share > 0.02) b.append(`${short(z.name)} ${timeText(z.durationNs)}`);
            else b.classList.add('thin');
            b.setAttribute('aria-label', `${short(z.name)}, ${z.kind}, ${timeText(z.durationNs)}, from ${timeText(z.startNs)}`);
            b.title = `${short(z.name)} · ${timeText(z.durationNs)} · from ${timeText(z.startNs)}`;
            b.style.left = percent(z.startNs);
            b.style.width = `max(1px, ${100 * share}%)`;
            b.style.top = `${5 + z.depth * 25}px`;
            if (z.kind === 'module') b.style.setProperty('--hue', String((Math.max(0, z.slot) * 137 + 205) % 360));
            track.append(b);
        }
        for (const f of facts) {
            if (f.thread !== lane.thread || f.atNs === null || f.atNs < from || f.atNs > to) continue;
            const line = element('div', `event ${f.kind.toLowerCase()}`);
            line.title = factText(f);
            line.style.left = percent(f.atNs);
            track.append(line);
        }
        const limit = element('div', 'line');
        limit.style.left = percent(budget);
        track.append(limit);
        box.append(element('div', 'lane', element('span', '', name), track));
    }
    const scale = element('div', ''),
        ticks = linearTicks(from / 1e3, to / 1e3, Math.max(2, Math.min(8, width / 120)));
    for (const t of ticks.ticks) {
        const label = element('i', '', `${tickText(t)} µs`);
        label.style.left = percent(t * 1e3);
        scale.append(label);
    }
    box.append(element('div', 'scale', element('span', '', 'dashed: budget'), scale));
    return [box, picked];
}

/** Gives each zone a row so that it lies below the one that contains it; answers how many rows there are. */
function nest(zones) {
    const open = [];
    let rows = 1;
    zones.sort((a, b) => a.startNs - b.startNs || b.durationNs - a.durationNs);
    for (const z of zones) {
        let depth = open.findIndex(end => end <= z.startNs);
        if (depth < 0) depth = open.length;
        // Rows below a zone that ended are free as well.
        open.length = depth;
        open.push(z.startNs + z.durationNs);
        z.depth = depth;
        rows = Math.max(rows, depth + 1);
    }
    return rows;
}
