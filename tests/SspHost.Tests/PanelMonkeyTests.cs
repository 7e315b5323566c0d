// A monkey at a panel that is drawn, over an engine that plays: nothing throws, nothing is heard that is not a number, and undone to the start it is the first patch.
using System.Globalization;
using SspHost.Panel;
using SspHost.Panel.Surface;
using SspHost.Panel.Tests.Kit;
using SspHost.Patching;
using SspHost.Playing;
using Xunit.Abstractions;

namespace SspHost.Tests;

/// <summary>10^4 events, each with its picture and with time that passes on a simulated card. SSP_SEED=n is another monkey.</summary>
public sealed class PanelMonkeyTests(ITestOutputHelper output)
{
    private const int Events = 10_000, QuantaOfAnEvent = 3;

    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("SSP_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : 1;

    [Fact]
    public void Any_control_moved_while_it_draws_and_plays_leaves_a_patch_that_is_undone_to_the_first_bit_for_bit()
    {
        var random = new Random(Seed);
        using var engine = new VirtualEngine();
        using var host = new TestHost(First(), modules: engine.Modules, engine: engine, live: new EngineLive(engine.Seen, engine.Modules, () => engine.Now));
        var folder = Directory.CreateTempSubdirectory("ssp-monkey-"); // K6 saves
        try
        {
            Assert.Null(host.Save(Path.Combine(folder.FullName, "patch.json")));
            var first = PatchJson.Write(host.Session.Current);
            using var panel = new FrontPanel(host);
            var monkey = new PanelMonkey(panel, host, random);
            var drawn = 0;
            for (var i = 0; i < Events; i++)
            {
                try
                {
                    monkey.Act();
                    engine.Play(QuantaOfAnEvent);
                    if (i % 8 == 0) Assert.Null(host.Session.Pump());
                    if (!panel.Draw().IsEmpty) drawn++;
                }
                catch (Exception e) when (e is not Xunit.Sdk.XunitException)
                {
                    throw new InvalidOperationException($"seed {Seed}, event {i}: {e.Message}", e);
                }
            }

            output.WriteLine($"seed {Seed}: {host.Session.Sequence} changes, {engine.Installed} plans, {drawn} pictures, {engine.Audio.Quanta} quanta, up to {engine.Loudest:0.0} V");
            Assert.True(host.Session.Sequence > Events / 100, "the monkey does too little");
            Assert.True(engine.Installed > Events / 500, "the engine plays one patch all the time");
            Assert.True(drawn > Events / 5, "too little is drawn");
            Assert.True(engine.Loudest > 0.1f, "nothing was heard");
            Assert.True(float.IsFinite(engine.Loudest));
            foreach (var page in panel.All) Assert.True(monkey.Pages.Contains(page.Id), $"seed {Seed}: the monkey was never on {page.Id}");
            while (host.Session.CanUndo)
            {
                var error = host.Session.Undo();
                Assert.True(error is null, $"seed {Seed}: {error}");
            }

            Assert.True(first.AsSpan().SequenceEqual(PatchJson.Write(host.Session.Current)), $"seed {Seed}: undone to the start, the patch is another");
            engine.Play(1000);
            _ = panel.Draw();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static Patch First() => new()
    {
        Id = "monkey",
        Name = "First",
        Modules = [new Module { Id = "vco1", Type = "vco" }, new Module { Id = "svf1", Type = "svf" }, new Module { Id = "lfo1", Type = "lfo" }, new Module { Id = "out1", Type = "audio-out" }],
        Cables =
        [
            new Cable(new PortRef("vco1", "saw"), new PortRef("svf1", "in")), new Cable(new PortRef("vco1", "saw"), new PortRef("out1", "in1")),
        ],
    };
}
