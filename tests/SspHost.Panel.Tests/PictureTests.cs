// What is drawn piece by piece is what is drawn whole: the damage that widgets report is all that changed.
using SspHost.Panel.Surface;
using SspHost.Panel.Tests.Kit;

namespace SspHost.Panel.Tests;

public sealed class PictureTests
{
    // Of 255: cairo's coverage of a slanting edge depends on where the clip cuts the path, by this much at most of what was seen (10).
    private const int Edge = 16;

    private readonly uint[] _whole = new uint[PanelSize.Width * PanelSize.Height];
    private readonly uint[] _pieces = new uint[PanelSize.Width * PanelSize.Height];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void After_whatever_a_player_does_no_pixel_has_changed_that_no_widget_reported_and_pieces_are_as_the_whole(int seed)
    {
        using var host = BusyHost.Make(12 + (14 * (seed - 1)));
        using var panel = new FrontPanel(host);
        var random = new Random(seed);
        for (var step = 0; step < 220; step++)
        {
            if (step % 11 == 0) panel.Go(BusyHost.Pages[step / 11 % BusyHost.Pages.Length]);
            Act(panel, host, random, step);
            Holds(panel, $"seed {seed}, step {step}, page {panel.Current.Id}");
        }
    }

    [Fact]
    public void A_frame_in_which_nothing_changes_draws_nothing()
    {
        using var host = BusyHost.Make();
        using var panel = new FrontPanel(host);
        foreach (var page in BusyHost.Pages)
        {
            panel.Go(page);
            for (var i = 0; i < 4; i++)
            {
                host.Now += 5_000_000_000; // what was said is gone
                _ = panel.Draw();
            }

            host.Now += 16_666_667;
            Assert.True(panel.Draw().IsEmpty, $"{page} draws although nothing has changed");
        }
    }

    private static void Act(FrontPanel panel, TestHost host, Random random, int step)
    {
        host.Now += (ulong)random.Next(1, 400) * 1_000_000;
        switch (random.Next(9))
        {
            case 0:
                BusyHost.Move(host, step);
                break;
            case 1:
                var modules = host.Session.Current.Modules;
                if (modules.Length > 0) host.Moving.Off[modules[random.Next(modules.Length)].Id] = "overload";
                host.Moving.Dropouts++;
                break;
            case 2:
                host.Machines.Version++;
                host.Jack.Set(random.Next(2) == 0, random.Next(8), new JackSetup("n" + step, 9.5 + random.NextDouble(), 0, true));
                break;
            case 3:
                Tap(panel, host, (Control)random.Next((int)Control.Left, (int)Control.Down + 1), random);
                break;
            case 4:
                Tap(panel, host, (Control)random.Next((int)Control.E1, (int)Control.E4 + 1), random);
                break;
            case 5:
                Tap(panel, host, (Control)random.Next((int)Control.K1, (int)Control.K8 + 1), random);
                break;
            default:
                panel.Put(new ControlEvent((Control)random.Next(4), ControlAction.Turn, random.Next(-3, 4), host.Now));
                break;
        }
    }

    private static void Tap(FrontPanel panel, TestHost host, Control control, Random random)
    {
        var shift = random.Next(3) == 0;
        if (shift) panel.Put(new ControlEvent(Control.ShiftLeft, ControlAction.Press, 0, host.Now));
        panel.Put(new ControlEvent(control, ControlAction.Press, 0, host.Now));
        host.Now += 40_000_000;
        panel.Put(new ControlEvent(control, ControlAction.Release, 0, host.Now));
        if (shift) panel.Put(new ControlEvent(Control.ShiftLeft, ControlAction.Release, 0, host.Now));
    }

    private void Holds(FrontPanel panel, string when)
    {
        var damage = panel.Draw().ToArray();
        Copy(panel.Frame, _pieces);
        panel.DrawAll();
        _ = panel.Draw();
        var frame = panel.Frame;
        for (var y = 0; y < frame.Height; y++)
        {
            var row = frame.Row(y);
            var piece = _pieces.AsSpan(y * frame.Width, frame.Width);
            var before = _whole.AsSpan(y * frame.Width, frame.Width);
            if (row.SequenceEqual(piece) && row.SequenceEqual(before)) continue;
            for (var x = 0; x < frame.Width; x++)
            {
                if (row[x] != before[x] && !damage.Any(d => d.Contains(x, y))) Assert.Fail($"{when}: the pixel at {x}, {y} has changed from {before[x]:x8} to {row[x]:x8}, and no widget said so");
                if (Far(row[x], piece[x])) Assert.Fail($"{when}: the pixel at {x}, {y} is {piece[x]:x8}, drawn whole {row[x]:x8}");
            }
        }

        Copy(frame, _whole);
    }

    private static bool Far(uint a, uint b)
    {
        for (var shift = 0; shift < 24; shift += 8)
        {
            if (Math.Abs((int)((a >> shift) & 255) - (int)((b >> shift) & 255)) > Edge) return true;
        }

        return false;
    }

    private static void Copy(in Frame frame, uint[] to)
    {
        for (var y = 0; y < frame.Height; y++) frame.Row(y).CopyTo(to.AsSpan(y * frame.Width));
    }
}
