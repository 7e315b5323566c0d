// Two runs side by side: shift of the figures, distance of the distributions, and what that means in words.
function fillComparison(host, model, countsA, countsB, part) {
    const [a, b] = model.runs,
        first = summarise(countsA),
        second = summarise(countsB),
        ks = kolmogorovSmirnov(countsA, countsB);
    const names = [short(a.info.name, 40), short(b.info.name, 40)];
    const heading = element('h2', '', `Compared${part ? ', in the range shown' : ''}`);
    heading.id = 'comparison-heading';
    const rows = [
        ['Mean', first.mean, second.mean],
        ...SHARE_NAMES.map((n, k) => [n, first.percentiles[k], second.percentiles[k]]),
        ['Maximum', first.max, second.max],
    ];
    const table = element(
        'table',
        'compare',
        element(
            'thead',
            '',
            headRow(
                '',
                element('span', '', element('span', 'swatch'), names[0]),
                element('span', '', element('span', 'swatch b'), names[1]),
                'shift',
                'as a share',
            ),
        ),
        element(
            'tbody',
            '',
            ...rows.map(([name, x, y]) =>
                element(
                    'tr',
                    '',
                    element('th', '', name),
                    loadCell(x, a.info.budgetNs),
                    loadCell(y, b.info.budgetNs),
                    element('td', '', Number.isFinite(y - x) ? signed(significant(y - x, 3), y - x) : '–'),
                    element('td', '', Number.isFinite(y / x) ? signed(percentText((y - x) / x), y - x) : '–'),
                ),
            ),
        ),
    );
    host.hidden = false;
    host.replaceChildren(
        heading,
        ...comparisonWords(first, second, ks, names).map(w => element('p', 'words', ...w)),
        element('div', 'scroll', table),
    );
    host.dataset.distance = String(ks.distance);
}

function comparisonWords(first, second, ks, names) {
    if (first.count === 0 || second.count === 0) return [['One of the two has no quantum here: there is nothing to compare.']];
    const d = ks.distance;
    const size =
        d < 0.01
            ? 'practically the same distribution'
            : d < 0.1
              ? 'a small difference'
              : d < 0.3
                ? 'a clear difference'
                : d < 0.7
                  ? 'a large difference'
                  : 'two different worlds';
    const chance = 1.36 * Math.sqrt((first.count + second.count) / (first.count * second.count));
    const words = [
        [
            'Kolmogorov-Smirnov distance ',
            element('b', '', significant(d, 4)),
            `: ${size}. `,
            d > 0
                ? `It is largest at a load of ${loadText(ks.load)}, which ${percentText(ks.a)} of the quanta of ${names[0]} did not exceed, but ${percentText(ks.b)} of ${names[1]}. `
                : 'The two curves are one. ',
            '0 is the same distribution, 1 is no overlap at all; ',
            `chance alone would give up to about ${significant(chance, 2)} in 19 of 20 cases if quanta were independent of each other (neighbours seldom are).`,
        ],
    ];
    const change = second.percentiles[0] - first.percentiles[0],
        worst = second.max - first.max;
    const typical =
        Math.abs(change) < 0.01 * first.percentiles[0]
            ? 'takes as long in both'
            : change < 0
              ? `is ${percentText(-change / first.percentiles[0])} faster in ${names[1]}`
              : `is ${percentText(change / first.percentiles[0])} slower in ${names[1]}`;
    const extreme =
        Math.abs(worst) < 0.01 * first.max
            ? 'about the same'
            : worst < 0
              ? `lower in ${names[1]} (${loadText(second.max)} against ${loadText(first.max)})`
              : `higher in ${names[1]} (${loadText(second.max)} against ${loadText(first.max)})`;
    words.push([
        `The typical quantum (p50) ${typical}; the worst is ${extreme}; late were ${countText(first.late)} of ${names[0]} and ${countText(second.late)} of ${names[1]}. `,
        'The distance speaks of the bulk: a click in a million quanta changes it by a millionth. For clicks look at the tail and the maximum.',
    ]);
    return words;
}
