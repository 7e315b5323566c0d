// What the signs of the plot mean; only those that are in it.
function fillLegend(host, model) {
    const sign = paint => {
        const canvas = element('canvas'),
            sheet = new Sheet(canvas);
        Object.defineProperties(canvas, { clientWidth: { value: 14 }, clientHeight: { value: 14 } });
        paint(sheet.begin(), sheet);
        return canvas;
    };
    const { tone } = model,
        item = (paint, text) => element('li', '', sign(paint), element('span', '', text));
    const items = model.runs.map((run, r) =>
        item(
            (c, s) => {
                c.fillStyle = r === 0 ? tone.a : tone.b;
                c.globalAlpha = 0.2;
                c.fillRect(0, s.px(4), s.width, s.px(10));
                c.globalAlpha = 1;
                c.fillRect(0, s.px(3), s.width, s.px(3));
            },
            model.runs.length > 1 ? short(run.info.name, 40) : 'lowest to highest load',
        ),
    );
    const marks = model.runs.flatMap(run => run.marks);
    items.push(
        item((c, s) => {
            c.fillStyle = tone.late;
            c.fillRect(s.px(6), s.px(2), s.px(2), s.px(12));
            c.beginPath();
            c.arc(s.px(7), s.px(3), s.px(2.4), 0, 7);
            c.fill();
        }, 'over budget'),
    );
    if (marks.some(m => m.kind === 'Late'))
        items.push(item((c, s) => drawSign(c, 'Late', s.px(7), s.px(4), s.px(5), tone), 'late, absorbed'));
    if (marks.some(m => m.kind === 'Dropout'))
        items.push(item((c, s) => drawSign(c, 'Dropout', s.px(7), s.px(4), s.px(5), tone), 'dropout: frames lost'));
    if (marks.some(m => m.kind === 'Stall'))
        items.push(item((c, s) => drawSign(c, 'Stall', s.px(7), s.px(3), s.px(5), tone), 'stall: a thread was looked at'));
    if (model.runs.some(run => run.whole.gaps > 0))
        items.push(
            item((c, s) => {
                c.fillStyle = s.hatch(tone.gap);
                c.fillRect(0, 0, s.width, s.height);
            }, 'not recorded'),
        );
    if (model.runs.some(run => run.spikes.length > 0)) {
        items.push(
            item((c, s) => {
                c.strokeStyle = tone.kept;
                c.lineWidth = s.px(1.3);
                c.beginPath();
                c.arc(s.px(7), s.px(7), s.px(3), 0, 7);
                c.stroke();
            }, 'zones kept: click'),
        );
    }
    host.replaceChildren(...items);
}
