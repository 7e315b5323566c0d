// Scales and their ticks.
function niceStep(span, most) {
    const rough = span / Math.max(1, most),
        power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].find(m => m * power >= rough) * power;
}

function linearTicks(from, to, most, least = 0) {
    const step = Math.max(least, niceStep(to - from, most)),
        ticks = [];
    for (let k = Math.ceil(from / step - 1e-9); k * step <= to + step * 1e-9; k++) ticks.push(k * step);
    return { step, ticks };
}

/** 1, 2 and 5 of each decade, or 1 alone where they would crowd. */
function logTicks(from, to, most) {
    const decades = Math.log10(to / from),
        ticks = [];
    const mantissas = decades * 3 <= most ? [1, 2, 5] : [1];
    const every = Math.max(1, Math.ceil(decades / most));
    for (let e = Math.floor(Math.log10(from)); e <= Math.ceil(Math.log10(to)); e++) {
        if (mantissas.length === 1 && e % every !== 0) continue;
        for (const m of mantissas) {
            const value = m * 10 ** e;
            if (value >= from * (1 - 1e-9) && value <= to * (1 + 1e-9)) ticks.push(value);
        }
    }
    return { ticks };
}

/** A scale from loads (or shares, or counts) to a stretch of pixels. */
class Scale {
    constructor(kind, from, to, start, end) {
        Object.assign(this, { kind, from, to, start, end });
        this.low = this.position(from);
        this.factor = (end - start) / (this.position(to) - this.low);
    }

    position(value) {
        return this.kind === 'log' ? Math.log10(Math.max(value, 1e-12)) : value;
    }

    at(value) {
        return this.start + (this.position(value) - this.low) * this.factor;
    }

    value(pixel) {
        const position = this.low + (pixel - this.start) / this.factor;
        return this.kind === 'log' ? 10 ** position : position;
    }

    ticks(most) {
        return this.kind === 'log' ? logTicks(this.from, this.to, most) : linearTicks(this.from, this.to, most);
    }
}

function tickText(value) {
    if (value === 0) return '0';
    if (value >= 1e4) return grouped.format(value);
    return String(Number(value.toPrecision(3)));
}
