// The pictures of docs/panel.md: pages of a patch that ships, with levels made up; SSP_UPDATE=1 draws them anew.
using SspHost.Abi;
using SspHost.Panel.Tests.Kit;
using SspHost.Patching;

namespace SspHost.Panel.Tests;

public sealed class GuideTests
{
    private const string Folder = "docs/panel";

    [Fact]
    public void The_pages_look_as_the_guide_shows_them()
    {
        using var host = Host("folded-garden");
        using var panel = new FrontPanel(host);
        Golden.Holds(panel, "patch", Folder);
        panel.Selection.Module = "fold1";
        panel.Go("module");
        Golden.Holds(panel, "module", Folder);
        panel.Go("connect");
        Script.Play(panel, host, "turn E3 left 20\nturn E3 right 9");
        Golden.Holds(panel, "connect", Folder);
        panel.Go("add");
        Script.Play(panel, host, "turn E1 right 1\nturn E2 right 5");
        Golden.Holds(panel, "add", Folder);
        panel.Go("scenes");
        Script.Play(panel, host, "press K2\npress shift-right + K2\nturn E1 right 10\npress shift-right + K3\nturn E1 right 1\npress K2\npress shift-left + K5\nturn E4 right 9");
        Golden.Holds(panel, "scenes", Folder);
        panel.Go("scope");
        Script.Play(panel, host, "press K5\nturn E1 right 1");
        Golden.Holds(panel, "scope", Folder);
    }

    private static TestHost Host(string name)
    {
        var load = PatchJson.TryLoad(Path.Combine(Golden.Root, "patches", name + ".json"));
        Assert.Null(load.Error);
        var status = BusyHost.Playing();
        status = status with { Audio = status.Audio! with { Load = new Diagnostics.Distribution(30_000, 0.15, 0.17, 0.19, 0.22) } };
        var host = new TestHost(load.Patch) { Status = status, Predicted = _ => new ModuleLoad(14_200, 96 << 10) };
        var k = 0;
        foreach (var m in host.Session.Current.Modules)
        {
            var outputs = host.Modules.Find(m.Type)!.Descriptor.Outputs.Count;
            host.Moving.Levels[m.Id] = [.. Enumerable.Range(0, outputs).Select(_ => 5f * MathF.Pow(10, -2 * MathF.Abs(MathF.Sin(0.9f * ++k))))];
            host.Moving.Loads[m.Id] = 0.001f * (1 + (7 * k % 23));
        }

        host.Moving.Sound = BusyHost.Sound(port => 65.4 * (1 + port.Module.Length));
        return host;
    }
}
