// What is shown: the view, the crosshair, the quantum that is open. Whoever changes it tells those who draw.
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

    verticalScale(bottom, top) {
        return this.scale === 'log'
            ? new Scale('log', this.min, this.max * 1.1, bottom, top)
            : new Scale('linear', 0, this.max, bottom, top);
    }

    changed() {
        this.listeners.draw();
    }

    isWhole() {
        return this.view.from <= 0 && this.view.to >= this.extent;
    }

    /** Shows [from, to) in quanta of the first run, moved into the run and not narrower than allowed. */
    show(from, to) {
        const span = Math.min(this.extent, Math.max(LEAST_SPAN, to - from)),
            middle = (from + to) / 2;
        const start = Math.min(this.extent - span, Math.max(0, to - from < LEAST_SPAN ? middle - span / 2 : from));
        this.view = { from: start, to: start + span };
        this.listeners.view();
        this.changed();
    }

    move(quanta) {
        const { from, to } = this.view,
            by = Math.max(-from, Math.min(this.extent - to, quanta));
        this.show(from + by, to + by);
    }

    zoom(factor, around) {
        const { from, to } = this.view,
            span = Math.min(this.extent, Math.max(LEAST_SPAN, (to - from) * factor));
        const start = around - ((around - from) / (to - from)) * span;
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
        const r = this.cursor?.run ?? 0,
            run = this.runs[r];
        if (run.length === 0) return;
        const index = this.cursor
            ? Math.min(run.length - 1, Math.max(0, this.cursor.index + by))
            : Math.min(run.length - 1, Math.floor(this.focus() * run.ratio));
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
            const late =
                direction > 0
                    ? run.pyramid.first(Math.max(0, Math.floor(here + 1e-6) + 1), run.length, ONE + 1)
                    : run.pyramid.last(0, Math.min(run.length, Math.ceil(here - 1e-6)), ONE + 1);
            const places = run.marks
                .filter(m => m.index !== null && (direction > 0 ? m.index > here + 1e-6 : m.index < here - 1e-6))
                .map(m => m.index);
            if (late >= 0) places.push(late);
            for (const index of places) {
                const distance = Math.abs(index - here) / run.ratio;
                if (!best || distance < best.distance) best = { r, index, distance };
            }
        });
        if (best) this.reach(best.r, best.index);
    }

    jumpWorst() {
        const worst = this.runs
            .map((run, r) => ({ r, index: run.pyramid.highest(0, run.length), run }))
            .filter(w => w.index >= 0)
            .sort((x, y) => y.run.codes[y.index] - x.run.codes[x.index])[0];
        if (worst) this.jump(worst.r, worst.index);
    }

    /** Zooms to a quantum and its surroundings. */
    reveal(r, index) {
        const at = (index + 0.5) / this.runs[r].ratio,
            half = Math.min(150, (this.view.to - this.view.from) / 2);
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
