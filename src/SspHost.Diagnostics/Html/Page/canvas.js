// A canvas in device pixels, with the page's colours and letters.
const FONT = '11.5px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif';

function colours() {
    const style = getComputedStyle(document.documentElement),
        named = {};
    for (const name of ['card', 'ink', 'muted', 'rule', 'faint', 'a', 'b', 'late', 'lost', 'stall', 'gap', 'kept'])
        named[name] = style.getPropertyValue(`--${name}`).trim();
    return named;
}

class Sheet {
    constructor(canvas) {
        this.canvas = canvas;
        this.context = canvas.getContext('2d');
    }

    /** Clears it and answers how large it is now, in device pixels. */
    begin() {
        const ratio = window.devicePixelRatio || 1;
        const width = Math.max(1, Math.round(this.canvas.clientWidth * ratio)),
            height = Math.max(1, Math.round(this.canvas.clientHeight * ratio));
        if (this.canvas.width !== width || this.canvas.height !== height) Object.assign(this.canvas, { width, height });
        Object.assign(this, { ratio, width, height });
        this.context.setTransform(1, 0, 0, 1, 0, 0);
        this.context.clearRect(0, 0, width, height);
        this.context.globalAlpha = 1;
        this.context.font = FONT.replace('11.5', String(11.5 * ratio));
        return this.context;
    }

    px(css) {
        return Math.round(css * this.ratio);
    }

    text(text, x, y, colour, align = 'left', baseline = 'alphabetic') {
        Object.assign(this.context, { fillStyle: colour, textAlign: align, textBaseline: baseline });
        this.context.fillText(text, x, y);
    }

    hatch(colour) {
        const tile = document.createElement('canvas'),
            size = this.px(6);
        tile.width = tile.height = size;
        const c = tile.getContext('2d');
        c.strokeStyle = colour;
        c.lineWidth = Math.max(1, this.ratio);
        c.beginPath();
        for (const shift of [-size, 0, size]) {
            c.moveTo(shift - 1, size + 1);
            c.lineTo(shift + size + 1, -1);
        }
        c.stroke();
        return this.context.createPattern(tile, 'repeat');
    }
}

/** The sign of an incident, hanging from y. */
function drawSign(c, kind, x, y, size, tone) {
    c.fillStyle = kind === 'Dropout' ? tone.lost : kind === 'Stall' ? tone.stall : tone.late;
    c.beginPath();
    if (kind === 'Stall') {
        c.rect(x - size * 0.75, y, size * 1.5, size * 1.5);
    } else {
        const half = kind === 'Dropout' ? size * 1.15 : size * 0.8;
        c.moveTo(x - half, y);
        c.lineTo(x + half, y);
        c.lineTo(x, y + half * 1.6);
    }
    c.fill();
}
