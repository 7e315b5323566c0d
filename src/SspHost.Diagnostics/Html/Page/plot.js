// The plot: each pixel column shows the highest and the lowest quantum in it, never an average.
const LEAST_SPAN = 8; // quanta a view shows at least

class LoadPlot {
    constructor(canvas, model) {
        this.sheet = new Sheet(canvas);
        this.model = model;
        this.area = { left: 0, top: 0, right: 1, bottom: 1 };
    }

    /** Where run r's column p of this view begins, as an index; columns share their edges, so that each quantum is in one. */
    edge(run, column) {
        const { from, to } = this.model.view,
            width = this.area.right - this.area.left;
        return Math.min(run.length, Math.max(0, Math.floor((from + (column * (to - from)) / width) * run.ratio + 1e-6)));
    }

    /** x of an index in device pixels. */
    x(run, index) {
        const { from, to } = this.model.view;
        return this.area.left + ((index / run.ratio - from) / (to - from)) * (this.area.right - this.area.left);
    }

    y(load) {
        return this.vertical.at(load);
    }

    /** The quanta [from, to) under a device pixel. */
    under(run, x, reach = 0) {
        const column = Math.floor(x - this.area.left),
            width = this.area.right - this.area.left;
        if (column < -reach || column >= width + reach || run.length === 0) return null;
        const from = this.edge(run, column - reach),
            to = Math.max(from + 1, this.edge(run, column + 1 + reach));
        return from < run.length ? { from, to: Math.min(to, run.length) } : null;
    }

    draw() {
        const { sheet, model } = this,
            c = sheet.begin(),
            tone = model.tone;
        this.area = { left: sheet.px(50), top: sheet.px(20), right: sheet.width - sheet.px(8), bottom: sheet.height - sheet.px(40) };
        this.vertical = model.verticalScale(this.area.bottom, this.area.top);
        this.drawGrid(c, tone);
        c.save();
        c.beginPath();
        c.rect(this.area.left, 0, this.area.right - this.area.left, sheet.height);
        c.clip();
        model.runs.forEach((run, r) => this.drawGaps(c, run, tone, r));
        model.runs.forEach(run => this.drawDropouts(c, run, tone));
        model.runs.forEach((run, r) => this.drawRun(c, run, r === 0 ? tone.a : tone.b, tone, r));
        this.drawBudget(c, tone);
        model.runs.forEach(run => {
            this.drawKept(c, run, tone);
            this.drawMarks(c, run, tone);
        });
        this.drawCursor(c, tone);
        if (this.band) {
            c.globalAlpha = 0.14;
            c.fillStyle = tone.ink;
            c.fillRect(
                Math.min(this.band.from, this.band.to),
                this.area.top,
                Math.abs(this.band.to - this.band.from),
                this.area.bottom - this.area.top,
            );
            c.globalAlpha = 1;
        }
        c.restore();
    }

    drawGrid(c, tone) {
        const { sheet, area, model } = this,
            css = (area.right - area.left) / sheet.ratio;
        c.fillStyle = tone.rule;
        for (const value of this.vertical.ticks(6).ticks) {
            const y = Math.round(this.y(value));
            c.globalAlpha = 0.7;
            c.fillRect(area.left, y, area.right - area.left, 1);
            c.globalAlpha = 1;
            if (Math.abs(y - this.y(1)) > sheet.px(9) || value === 1)
                sheet.text(tickText(value), area.left - sheet.px(8), y, value === 1 ? tone.late : tone.muted, 'right', 'middle');
            c.fillStyle = tone.rule;
        }

        const run = model.runs[0],
            { from, to } = model.view,
            perSecond = run.quantaPerSecond;
        const time = linearTicks(from / perSecond, to / perSecond, Math.max(2, css / 110));
        const place = (text, x, y, colour) => {
            const half = c.measureText(text).width / 2;
            sheet.text(text, Math.min(area.right - half, Math.max(area.left + half, x)), y, colour, 'center');
        };
        for (const t of time.ticks) {
            const x = Math.round(this.x(run, t * perSecond));
            c.fillStyle = tone.rule;
            c.globalAlpha = 0.7;
            c.fillRect(x, area.top, 1, area.bottom - area.top);
            c.globalAlpha = 1;
            place(`${secondsText(t, time.step)} s`, x, area.bottom + sheet.px(15), tone.muted);
        }

        const first = run.info.firstQuantum;
        const numbers = linearTicks(from + first, to + first, Math.max(2, css / 130), 1);
        for (const q of numbers.ticks) {
            const x = this.x(run, q - first);
            c.fillStyle = tone.rule;
            c.fillRect(Math.round(x), area.bottom + sheet.px(21), 1, sheet.px(3));
            place(`# ${countText(q)}`, x, area.bottom + sheet.px(35), tone.muted);
        }
        c.fillStyle = tone.rule;
        c.fillRect(area.left, area.bottom, area.right - area.left, 1);
    }

    /** Calls visit(x, width, highest code, lowest code, gap) for each column, or each quantum where a quantum is wider. */
    cells(run, visit) {
        const { from, to } = this.model.view,
            width = this.area.right - this.area.left,
            left = this.area.left,
            found = {};
        if ((to - from) * run.ratio >= width) {
            for (let p = 0, i = this.edge(run, 0); p < width; p++) {
                const next = p === width - 1 ? Math.min(run.length, Math.ceil(to * run.ratio - 1e-6)) : this.edge(run, p + 1);
                if (next <= i) continue;
                run.pyramid.range(i, next, found);
                visit(left + p, 1, found.max, found.min, found.gap);
                i = next;
            }
        } else {
            for (let i = Math.max(0, Math.floor(from * run.ratio)); i < Math.min(run.length, Math.ceil(to * run.ratio)); i++) {
                const x = Math.round(this.x(run, i)),
                    code = run.codes[i];
                visit(x, Math.max(1, Math.round(this.x(run, i + 1)) - x), code, code, code === GAP ? 1 : 0);
            }
        }
    }

    drawGaps(c, run, tone, r) {
        c.fillStyle = this.sheet.hatch(r === 0 ? tone.gap : tone.b);
        this.cells(run, (x, width, max, min, gap) => {
            if (gap) c.fillRect(x, this.area.top, width, this.area.bottom - this.area.top);
        });
    }

    drawRun(c, run, colour, tone, r) {
        const xs = [],
            widths = [],
            tops = [],
            lows = [],
            over = [];
        this.cells(run, (x, width, max, min) => {
            if (max === GAP) return;
            xs.push(x);
            widths.push(width);
            tops.push(Math.round(this.y(loadOf[max])));
            lows.push(Math.round(this.y(loadOf[min])));
            over.push(max > ONE ? loadOf[max] : 0);
        });
        const line = Math.max(1, this.sheet.px(1.5)),
            base = this.area.bottom,
            budget = Math.round(this.y(1)),
            overlaid = this.model.runs.length > 1;
        c.fillStyle = colour;
        c.globalAlpha = overlaid ? 0.08 : 0.17;
        for (let k = 0; k < xs.length; k++) c.fillRect(xs[k], lows[k], widths[k], base - lows[k]);
        c.globalAlpha = overlaid && r > 0 ? 0.62 : 1;
        for (let k = 0; k < xs.length; k++) c.fillRect(xs[k], tops[k], widths[k], Math.max(line, lows[k] - tops[k]));
        // From one quantum to the next a thin upright, so that the eye follows the line; to what is late there is none, it stands alone.
        c.globalAlpha = 0.45;
        for (let k = 1; k < xs.length; k++) {
            if (lows[k] !== tops[k] || lows[k - 1] !== tops[k - 1] || over[k] || over[k - 1] || xs[k] !== xs[k - 1] + widths[k - 1])
                continue;
            c.fillRect(xs[k], Math.min(tops[k], tops[k - 1]), Math.max(1, this.sheet.px(0.7)), Math.abs(tops[k] - tops[k - 1]));
        }
        c.globalAlpha = 1;
        c.fillStyle = tone.late;
        for (let k = 0; k < xs.length; k++) {
            if (!over[k]) continue;
            // A single quantum is red down to the budget; of several the lowest is still seen where all were late.
            const end = lows[k] === tops[k] ? budget : Math.min(budget, lows[k]);
            c.globalAlpha = 0.4;
            c.fillRect(xs[k], tops[k], widths[k], budget - tops[k]);
            c.globalAlpha = 1;
            c.fillRect(xs[k], tops[k], widths[k], Math.max(line, end - tops[k]));
            // A cap, because a column may be a single pixel wide; with two runs it says whose it is.
            if (widths[k] <= this.sheet.px(5)) {
                c.beginPath();
                c.arc(xs[k] + widths[k] / 2, tops[k], this.sheet.px(2.4), 0, 2 * Math.PI);
                if (overlaid) {
                    c.fillStyle = r === 0 ? tone.a : tone.b;
                }
                c.fill();
                c.fillStyle = tone.late;
            }
        }
    }

    drawBudget(c, tone) {
        const y = Math.round(this.y(1)) + 0.5;
        c.strokeStyle = tone.late;
        c.lineWidth = Math.max(1, this.sheet.ratio);
        c.setLineDash([this.sheet.px(5), this.sheet.px(4)]);
        c.beginPath();
        c.moveTo(this.area.left, y);
        c.lineTo(this.area.right, y);
        c.stroke();
        c.setLineDash([]);
    }

    /** A ring where zones were kept; of those in one place the highest. */
    drawKept(c, run, tone) {
        c.lineWidth = this.sheet.px(1.3);
        c.strokeStyle = tone.kept;
        c.fillStyle = tone.card;
        const highest = new Map();
        for (const spike of run.spikes) {
            const x = this.centre(run, spike.index);
            if (x < this.area.left || x > this.area.right || run.codes[spike.index] === GAP) continue;
            const cell = Math.round(x / this.sheet.px(4)),
                y = this.y(loadOf[run.codes[spike.index]]);
            if (!(highest.get(cell)?.y <= y)) highest.set(cell, { x, y });
        }
        for (const { x, y } of highest.values()) {
            c.beginPath();
            c.arc(x, y - this.sheet.px(5.5), this.sheet.px(3), 0, 2 * Math.PI);
            c.fill();
            c.stroke();
        }
    }

    centre(run, index) {
        return (this.x(run, index) + this.x(run, index + 1)) / 2;
    }

    /** A line over the whole height where frames were lost, behind the loads. */
    drawDropouts(c, run, tone) {
        c.fillStyle = tone.lost;
        c.globalAlpha = 0.55;
        let last = -1;
        for (const mark of run.marks) {
            if (mark.kind !== 'Dropout' || mark.index === null) continue;
            const x = Math.round(this.centre(run, mark.index) - this.sheet.ratio / 2);
            if (x === last) continue;
            last = x;
            c.fillRect(x, this.area.top, this.sheet.px(1), this.area.bottom - this.area.top);
        }
        c.globalAlpha = 1;
    }

    drawMarks(c, run, tone) {
        const taken = new Set();
        for (const kind of ['Dropout', 'Stall', 'Late']) {
            for (const mark of run.marks) {
                if (mark.kind !== kind || mark.index === null) continue;
                const x = this.centre(run, mark.index),
                    cell = Math.round(x / this.sheet.px(3));
                if (x < this.area.left || x > this.area.right || taken.has(cell)) continue;
                taken.add(cell);
                drawSign(c, kind, x, this.sheet.px(3), this.sheet.px(5), tone);
            }
        }
    }

    drawCursor(c, tone) {
        const { cursor, selected, runs } = this.model;
        if (selected) {
            const x = Math.round(this.centre(runs[selected.run], selected.index));
            c.fillStyle = tone.ink;
            c.globalAlpha = 0.1;
            c.fillRect(x - this.sheet.px(5), this.area.top, this.sheet.px(10), this.area.bottom - this.area.top);
            c.globalAlpha = 1;
        }
        if (!cursor) return;
        const run = runs[cursor.run],
            x = Math.round(this.centre(run, cursor.index)),
            code = run.codes[cursor.index];
        c.fillStyle = tone.ink;
        c.globalAlpha = 0.45;
        c.fillRect(x, this.area.top, 1, this.area.bottom - this.area.top);
        if (code !== GAP) {
            const y = Math.round(this.y(loadOf[code]));
            c.fillRect(this.area.left, y, this.area.right - this.area.left, 1);
            c.globalAlpha = 1;
            c.beginPath();
            c.arc(x + 0.5, y, this.sheet.px(3.5), 0, 2 * Math.PI);
            c.fill();
        }
        c.globalAlpha = 1;
    }

    /** The incident whose sign is under a device pixel. */
    markAt(x) {
        let best = null;
        this.model.runs.forEach((run, r) => {
            for (const mark of run.marks) {
                if (mark.index === null) continue;
                const distance = Math.abs(this.centre(run, mark.index) - x);
                if (distance <= this.sheet.px(8) && !(best?.distance <= distance)) best = { run: r, index: mark.index, distance };
            }
        });
        return best;
    }

    /** The quantum a person means by a click there: the highest within reach; of two runs the one whose curve is nearer. */
    quantumAt(x, y, reach) {
        let best = null;
        this.model.runs.forEach((run, r) => {
            const wide = (this.model.view.to - this.model.view.from) * run.ratio >= this.area.right - this.area.left;
            const found = this.under(run, x, wide ? reach : 0);
            if (!found) return;
            const highest = run.pyramid.highest(found.from, found.to),
                index = highest < 0 ? found.from : highest;
            const distance = highest < 0 ? Infinity : Math.abs(this.y(loadOf[run.codes[index]]) - y);
            if (!best || distance < best.distance) best = { run: r, index, distance, from: found.from, to: found.to };
        });
        return best;
    }
}
