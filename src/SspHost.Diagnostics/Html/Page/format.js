// Numbers as a person reads them, with their units.
const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

function countText(n) {
    return grouped.format(n);
}

/** Four significant digits, never an exponent for what a person meets here. */
function significant(x, digits = 4) {
    if (x === 0) return '0';
    const whole = Math.floor(Math.log10(Math.abs(x))) + 1;
    return x.toFixed(Math.min(12, Math.max(0, digits - whole)));
}

function loadText(load) {
    return Number.isFinite(load) ? (load >= 0.01 ? load.toFixed(load < 10 ? 4 : load < 100 ? 3 : 2) : significant(load, 3)) : '–';
}

function timeText(ns) {
    if (!Number.isFinite(ns)) return '–';
    const size = Math.abs(ns);
    if (size < 1e3) return `${significant(ns, size < 10 ? 2 : 3)} ns`;
    if (size < 1e6) return `${significant(ns / 1e3)} µs`;
    if (size < 1e9) return `${significant(ns / 1e6)} ms`;
    return `${significant(ns / 1e9)} s`;
}

/** Seconds; a step says how fine. */
function secondsText(t, step = 1e-4) {
    const decimals = Math.min(7, Math.max(0, Math.ceil(-Math.log10(step) - 1e-9)));
    return t.toFixed(decimals);
}

function durationText(s) {
    if (s < 120) return `${significant(s)} s`;
    const seconds = Math.round(s),
        minutes = Math.floor(seconds / 60),
        hours = Math.floor(minutes / 60);
    if (minutes >= 120) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
    return seconds % 60 ? `${minutes} min ${seconds % 60} s` : `${minutes} min`;
}

function percentText(share) {
    const percent = share * 100;
    if (percent === 0 || percent === 100) return `${percent} %`;
    if (percent > 99.9) return `${percent.toFixed(Math.min(8, Math.ceil(-Math.log10(100 - percent)) + 1))} %`;
    return `${percent < 0.001 ? percent.toPrecision(2) : significant(percent, 3)} %`;
}

function signed(text, value) {
    return value > 0 ? `+${text}` : text.replace('-', '−');
}

function plural(n, one, many = `${one}s`) {
    return `${countText(n)} ${n === 1 ? one : many}`;
}

/** An element with its text or children; no text is ever read as markup. */
function element(tag, className, ...children) {
    const e = document.createElement(tag);
    if (className) e.className = className;
    e.append(...children.filter(c => c !== null && c !== undefined));
    return e;
}

function button(className, action, ...children) {
    const e = element('button', className, ...children);
    e.type = 'button';
    e.addEventListener('click', action);
    return e;
}

/** A name that may be of any length, cut where a line would suffer. */
function short(text, length = 80) {
    const letters = Array.from(text.slice(0, 2 * length + 2));
    return letters.length > length ? `${letters.slice(0, length - 1).join('')}…` : text;
}
