// A panel that is looked at makes no garbage: the control process collects once a minute at most.
using SspHost.Panel.Tests.Kit;

namespace SspHost.Panel.Tests;

public sealed class AllocationTests
{
    private const int Frames = 1000;

    public static TheoryData<string, bool> Pages()
    {
        var data = new TheoryData<string, bool>();
        foreach (var page in BusyHost.Pages)
        {
            data.Add(page, false);
            data.Add(page, true);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public void A_thousand_frames_allocate_nothing_at_rest_and_while_levels_move(string page, bool moving)
    {
        using var host = BusyHost.Make(16);
        using var panel = new FrontPanel(host);
        panel.Go(page);
        for (var i = 0; i < 60; i++) Frame(host, panel, i, moving); // everything has been met once
        host.FilesStand = true;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Frames; i++) Frame(host, panel, i, moving);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Frame(TestHost host, FrontPanel panel, int frame, bool moving)
    {
        if (moving) BusyHost.Move(host, frame);
        else host.Now += 16_666_667;
        _ = panel.Draw();
    }
}
