// What is drawn piece by piece is what is drawn whole: the damage that widgets report is all that changed.
using SspHost.Panel.Surface;
using SspHost.Panel.Tests.Kit;

namespace SspHost.Panel.Tests;

public sealed class PictureTests
{
    private readonly uint[] _pieces = new uint[PanelSize.Width * PanelSize.Height];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void After_whatever_a_player_does_the_picture_drawn_in_pieces_is_bit_for_bit_the_one_drawn_whole(int seed)
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
        _ = panel.Draw();
        Copy(panel.Frame, _pieces);
        panel.DrawAll();
        _ = panel.Draw();
        var frame = panel.Frame;
        for (var y = 0; y < frame.Height; y++)
        {
            var (row, piece) = (frame.Row(y)[..frame.Width].ToArray(), _pieces.AsSpan(y * frame.Width, frame.Width).ToArray());
            if (row.AsSpan().SequenceEqual(piece)) continue;
            var x = row.AsSpan().CommonPrefixLength(piece);
            Assert.Fail($"{when}: the pixel at {x}, {y} is {piece[x]:x8}, drawn whole {row[x]:x8}");
        }
    }

    private static void Copy(in Frame frame, uint[] to)
    {
        for (var y = 0; y < frame.Height; y++) frame.Row(y).CopyTo(to.AsSpan(y * frame.Width));
    }
}
