// Exact figures from every quantum: codes are counted once, everything else follows from the counts.
const SHARES = [5000, 9000, 9900, 9990, 9999]; // in ten-thousandths
const SHARE_NAMES = ['p50', 'p90', 'p99', 'p99.9', 'p99.99'];

/** How often each code occurs in [from, to). */
function countCodes(codes, from, to) {
    const counts = new Uint32Array(CODES);
    for (let i = from; i < to; i++) counts[codes[i]]++;
    return counts;
}

/** count, gaps, mean, max, late, percentiles (nearest rank: the smallest load that so many quanta do not exceed). */
function summarise(counts) {
    let count = 0,
        sum = 0,
        late = 0,
        min = 0,
        max = 0;
    for (let code = 1; code < CODES; code++) {
        const n = counts[code];
        if (n === 0) continue;
        count += n;
        sum += n * loadOf[code];
        if (code > ONE) late += n;
        if (min === 0) min = code;
        max = code;
    }
    const ranks = SHARES.map(s => Math.max(1, Math.ceil((count * s) / 10000)));
    const percentiles = [];
    for (let code = 0, seen = 0; percentiles.length < ranks.length && count > 0; ) {
        if (seen >= ranks[percentiles.length]) percentiles.push(loadOf[code]);
        else seen += counts[++code];
    }
    return {
        count,
        gaps: counts[GAP],
        late,
        mean: count ? sum / count : NaN,
        min: count ? loadOf[min] : NaN,
        max: count ? loadOf[max] : NaN,
        percentiles: count ? percentiles : SHARES.map(() => NaN),
    };
}

/** Kolmogorov-Smirnov: the largest distance between the two distribution functions, where it is, and what they are there. */
function kolmogorovSmirnov(a, b) {
    let countA = 0,
        countB = 0;
    for (let code = 1; code < CODES; code++) {
        countA += a[code];
        countB += b[code];
    }
    const widest = { distance: 0, load: NaN, a: 0, b: 0 };
    if (countA === 0 || countB === 0) return widest;
    for (let code = 1, seenA = 0, seenB = 0; code < CODES; code++) {
        if (a[code] === 0 && b[code] === 0) continue;
        seenA += a[code];
        seenB += b[code];
        const distance = Math.abs(seenA / countA - seenB / countB);
        if (distance > widest.distance) Object.assign(widest, { distance, load: loadOf[code], a: seenA / countA, b: seenB / countB });
    }
    return widest;
}
