// Histogram, ECDF and tail: the whole run pale, what the plot shows strong; of two runs each in its colour.
class Distributions {
    constructor(model) {
        this.model = model;
        this.histogram = new Sheet(document.getElementById('histogram'));
        this.ecdf = new Sheet(document.getElementById('ecdf'));
        this.tail = new Sheet(document.getElementById('tail'));
    }

    /** series: { counts, summary, colour, alpha } */
    draw(series) {
        const known = series.filter(s => s.summary.count > 0),
            { tone } = this.model;
        const from = Math.min(1, ...known.map(s => s.summary.min)),
            to = Math.max(1.05, ...known.map(s => s.summary.max));
        const { scale } = this.model,
            most = Math.max(2, ...known.map(s => s.summary.count));
        const loads = sheet =>
            new Scale(
                scale,
                scale === 'log' ? from * 0.9 : 0,
                to * (scale === 'log' ? 1.1 : 1.03),
                sheet.px(62),
                sheet.width - sheet.px(6),
            );
        this.drawHistogram(known, loads, tone);
        this.drawCurves(
            this.ecdf,
            known,
            loads,
            sheet => new Scale('linear', 0, 1, sheet.height - sheet.px(24), sheet.px(8)),
            v => `${Number((v * 100).toPrecision(3))} %`,
            tone,
            (seen, count) => seen / count,
            0,
        );
        const least = 10 ** Math.floor(Math.log10(1 / most) + 1e-9);
        this.drawCurves(
            this.tail,
            known,
            loads,
            sheet => new Scale('log', least * 0.6, 1, sheet.height - sheet.px(24), sheet.px(8)),
            v => (v >= 0.0009 ? `${Number((v * 100).toPrecision(2))} %` : `1 in ${shortCount(1 / v)}`),
            tone,
            (seen, count) => (count - seen) / count,
            1,
        );
    }

    frame(sheet, x, y, label, tone) {
        const c = sheet.context,
            top = y.end,
            bottom = y.start;
        for (const value of y.ticks(5).ticks) {
            const at = Math.round(y.at(value));
            c.fillStyle = tone.rule;
            c.globalAlpha = 0.7;
            c.fillRect(x.start, at, x.end - x.start, 1);
            c.globalAlpha = 1;
            sheet.text(label(value), x.start - sheet.px(6), at, tone.muted, 'right', 'middle');
        }
        let free = 0;
        for (const value of x.ticks(sheet.width / sheet.ratio / 60).ticks) {
            const text = tickText(value),
                half = c.measureText(text).width / 2,
                at = Math.min(x.end - half, x.at(value));
            if (at - half < free) continue;
            free = at + half + sheet.px(5);
            sheet.text(text, at, bottom + sheet.px(16), value === 1 ? tone.late : tone.muted, 'center');
        }
        c.strokeStyle = tone.late;
        c.lineWidth = Math.max(1, sheet.ratio);
        c.setLineDash([sheet.px(4), sheet.px(3)]);
        c.beginPath();
        c.moveTo(Math.round(x.at(1)) + 0.5, top);
        c.lineTo(Math.round(x.at(1)) + 0.5, bottom);
        c.stroke();
        c.setLineDash([]);
    }

    drawHistogram(series, loads, tone) {
        const sheet = this.histogram,
            c = sheet.begin(),
            x = loads(sheet);
        const bins = 96,
            edges = Array.from({ length: bins + 1 }, (_, k) => codeAbove(x.value(x.start + ((x.end - x.start) * k) / bins)));
        const heights = series.map(s =>
            edges.slice(1).map((end, k) => {
                let sum = 0;
                for (let code = edges[k]; code < end; code++) sum += s.counts[code];
                return sum;
            }),
        );
        const most = Math.max(10, ...heights.flat());
        const y = new Scale('log', 0.7, most * 1.3, sheet.height - sheet.px(24), sheet.px(8));
        this.frame(sheet, x, y, shortCount, tone);
        series.forEach((s, k) => {
            heights[k].forEach((n, bin) => {
                if (n === 0) return;
                const left = x.start + ((x.end - x.start) * bin) / bins,
                    right = x.start + ((x.end - x.start) * (bin + 1)) / bins,
                    top = y.at(n);
                c.fillStyle = edges[bin] > ONE && this.model.runs.length === 1 ? tone.late : s.colour;
                c.globalAlpha = s.alpha * 0.9;
                c.fillRect(left, top, Math.max(1, right - left - sheet.px(0.5)), y.start - top);
                c.globalAlpha = 1;
            });
        });
        sheet.canvas.setAttribute(
            'aria-label',
            `Histogram of ${plural(
                series.reduce((n, s) => n + s.summary.count, 0),
                'quantum',
                'quanta',
            )}`,
        );
    }

    drawCurves(sheet, series, loads, vertical, label, tone, share, before) {
        const c = sheet.begin(),
            x = loads(sheet),
            y = vertical(sheet);
        this.frame(sheet, x, y, label, tone);
        c.save();
        c.beginPath();
        c.rect(x.start, 0, x.end - x.start, sheet.height);
        c.clip();
        for (const s of series) {
            c.strokeStyle = s.colour;
            c.globalAlpha = s.alpha;
            c.lineWidth = sheet.px(1.7);
            c.lineJoin = 'round';
            c.beginPath();
            // One point a pixel, at the codes that begin there: exact at every pixel.
            let seen = 0,
                code = 1;
            c.moveTo(x.start, y.at(before));
            for (let p = Math.round(x.start); p <= x.end; p++) {
                for (const end = codeAbove(x.value(p)); code < end; code++) seen += s.counts[code];
                const value = share(seen, s.summary.count);
                c.lineTo(p, value > 0 ? Math.min(y.start, y.at(value)) : y.start);
                if (seen === s.summary.count) break;
            }
            if (before === 0) c.lineTo(x.end, y.at(1));
            c.stroke();
        }
        c.restore();
        c.globalAlpha = 1;
        const worst = series.map(s => `maximum ${loadText(s.summary.max)}`).join(', ');
        sheet.canvas.setAttribute(
            'aria-label',
            before === 0 ? `Cumulative share of quanta by load; ${worst}` : `Share of quanta above a load; ${worst}`,
        );
    }
}

function shortCount(n) {
    if (n >= 1e9) return `${Number((n / 1e9).toPrecision(2))} G`;
    if (n >= 1e6) return `${Number((n / 1e6).toPrecision(2))} M`;
    if (n >= 1e3) return `${Number((n / 1e3).toPrecision(2))} k`;
    return String(Number(n.toPrecision(2)));
}
