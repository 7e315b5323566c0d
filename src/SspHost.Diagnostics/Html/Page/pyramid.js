// Highest and lowest code of any stretch of quanta without looking at each: levels of eight to one, built once.
// Nothing is averaged anywhere, so a single spike survives to the top.
const STEP = 3,
    FAN = 1 << STEP;

class Pyramid {
    constructor(codes) {
        this.length = codes.length;
        const gap = new Uint8Array(codes.length);
        for (let i = 0; i < codes.length; i++) gap[i] = codes[i] === GAP ? 1 : 0;
        this.levels = [{ max: codes, min: codes, gap }];
        for (let below = this.levels[0]; below.max.length > FAN; below = this.levels.at(-1)) this.levels.push(Pyramid.above(below));
    }

    static above({ max, min, gap }) {
        const length = Math.ceil(max.length / FAN);
        const level = { max: new Uint16Array(length), min: new Uint16Array(length), gap: new Uint8Array(length) };
        for (let b = 0, i = 0; b < length; b++) {
            let high = 0,
                low = 65535,
                hole = 0,
                known = 0;
            for (const end = Math.min(i + FAN, max.length); i < end; i++) {
                if (max[i] > high) high = max[i];
                if (min[i] !== GAP) {
                    known = 1;
                    if (min[i] < low) low = min[i];
                }
                hole |= gap[i];
            }
            level.max[b] = high;
            level.min[b] = known ? low : GAP;
            level.gap[b] = hole;
        }
        return level;
    }

    /** Of [from, to): highest and lowest code (0 where none is known), and whether one is a gap. Fills and returns `into`. */
    range(from, to, into) {
        let high = 0,
            low = 65536,
            hole = 0;
        const take = (level, i) => {
            if (level.max[i] > high) high = level.max[i];
            if (level.min[i] !== GAP && level.min[i] < low) low = level.min[i];
            hole |= level.gap[i];
        };
        for (let k = 0; from < to; k++, from >>= STEP, to >>= STEP) {
            const level = this.levels[k];
            if (k === this.levels.length - 1) {
                for (let i = from; i < to; i++) take(level, i);
                break;
            }
            while (from < to && from & (FAN - 1)) take(level, from++);
            while (from < to && to & (FAN - 1)) take(level, --to);
        }
        into.max = high;
        into.min = low === 65536 ? GAP : low;
        into.gap = hole;
        return into;
    }

    /** The first quantum of [from, to) with at least this code; -1: none. */
    first(from, to, code) {
        for (let i = from; i < to; ) {
            let k = 0;
            while (
                k + 1 < this.levels.length &&
                (i & ((1 << (STEP * (k + 1))) - 1)) === 0 &&
                this.levels[k + 1].max[i >> (STEP * (k + 1))] < code
            )
                k++;
            if (k === 0 && this.levels[0].max[i] >= code) return i;
            i += 1 << (STEP * k);
        }
        return -1;
    }

    /** The last quantum of [from, to) with at least this code; -1: none. */
    last(from, to, code) {
        for (let i = to - 1; i >= from; ) {
            let k = 0;
            while (
                k + 1 < this.levels.length &&
                ((i + 1) & ((1 << (STEP * (k + 1))) - 1)) === 0 &&
                this.levels[k + 1].max[i >> (STEP * (k + 1))] < code
            )
                k++;
            if (k === 0 && this.levels[0].max[i] >= code) return i;
            i -= 1 << (STEP * k);
        }
        return -1;
    }

    /** The highest quantum of [from, to), the first of equals; -1: none is known. */
    highest(from, to) {
        const { max } = this.range(from, to, {});
        return max === GAP ? -1 : this.first(from, to, max);
    }
}
