// A monkey at the panel.
using SspHost.Panel.Surface;

namespace SspHost.Panel.Tests.Kit;

/// <summary>Any control at any time: knobs in runs, as hands do, keys down and up, chords with the shifts, a keyboard now and then.</summary>
internal sealed class PanelMonkey(FrontPanel panel, TestHost host, Random random)
{
    private const string Letters = "abcdefgoprstuv 123\u0008\u0008\u000d\u001b\u266b";

    private Control _knob;
    private int _run;
    private int _direction = 1;

    public HashSet<string> Pages { get; } = new(StringComparer.Ordinal);

    public void Act()
    {
        Pages.Add(panel.Current.Id);
        host.Now += (ulong)random.Next(1, 60) * 1_000_000;
        if (random.Next(40) == 0) host.Now += 900_000_000; // hands rest
        if (_run-- > 0)
        {
            Put(_knob, ControlAction.Turn, _direction * (random.Next(9) == 0 ? random.Next(1, 9) : 1));
            return;
        }

        switch (random.Next(24))
        {
            case < 8:
                (_knob, _run, _direction) = ((Control)random.Next(4), random.Next(1, 12), random.Next(2) == 0 ? 1 : -1);
                break;
            case < 17:
                Press((Control)random.Next(Controls.Count));
                break;
            case 17:
                Put(Control.ShiftLeft, random.Next(2) == 0 ? ControlAction.Press : ControlAction.Release);
                break;
            case 18 or 19:
                Put(Control.ShiftRight, ControlAction.Press);
                Press((Control)((int)Control.K1 + random.Next(8)));
                Put(Control.ShiftRight, ControlAction.Release);
                break;
            case 20:
                Put(default, ControlAction.Type, Letters[random.Next(Letters.Length)]);
                break;
            case 21:
                host.LastController = new ControllerMove(host.LastController.Serial + 1, "Keys", random.Next(1, 17), random.Next(128), random.Next(3) == 0, random.NextSingle());
                break;
            case 22 when panel.Current is { } page:
                panel.Go(random.Next(3) == 0 ? panel.All[random.Next(panel.All.Count)].Id : panel.All.Contains(page) ? page.Id : panel.All[0].Id);
                break;
            default:
                panel.Gone(0); // a browser closed with its keys down
                break;
        }
    }

    private void Press(Control control)
    {
        Put(control, ControlAction.Press);
        if (random.Next(6) == 0)
        {
            host.Now += 600_000_000;
            _ = random.Next(3) == 0 ? panel.Draw() : default; // a long press comes of time that passes
        }

        if (random.Next(20) > 0) Put(control, ControlAction.Release); // or it stays down
    }

    private void Put(Control control, ControlAction action, int value = 0) => panel.Put(new ControlEvent(control, action, value, host.Now));
}
