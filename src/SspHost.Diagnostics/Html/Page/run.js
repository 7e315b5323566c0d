// A run as the page works with it: its codes, what is counted of them once, and its incidents by place.
class Run {
    constructor(info, { codes, characters }) {
        Object.assign(this, { info, codes, characters, length: codes.length, ratio: 1 });
        this.quantaPerSecond = info.rate / info.quantum;
        this.pyramid = new Pyramid(codes);
        this.counts = countCodes(codes, 0, codes.length);
        this.whole = summarise(this.counts);
        const indexOf = quantum => {
            const index = quantum - info.firstQuantum;
            return index >= 0 && index < codes.length ? index : null;
        };
        this.marks = info.marks.map(m => ({ ...m, index: indexOf(m.quantum) })).sort((a, b) => a.quantum - b.quantum);
        this.spikes = info.spikes
            .map(s => ({ ...s, index: indexOf(s.quantum) }))
            .filter(s => s.index !== null)
            .sort((a, b) => a.index - b.index);
        this.spikeAt = new Map(this.spikes.map(s => [s.index, s]));
    }

    /** Quanta with a code above this. */
    above(code) {
        let n = 0;
        for (let c = code + 1; c < CODES; c++) n += this.counts[c];
        return n;
    }

    /** The kept quanta next to an index, the nearest first. */
    nearestSpikes(index) {
        return [...this.spikes].sort((a, b) => Math.abs(a.index - index) - Math.abs(b.index - index)).slice(0, 3);
    }
}
