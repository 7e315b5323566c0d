// A monkey at the session and at the panel: whatever it does nothing throws, and undone to the start the first patch is back, bit for bit.
using System.Globalization;
using SspHost.Abi;
using SspHost.Panel.Surface;
using SspHost.Panel.Tests.Kit;
using SspHost.Patching;
using Xunit.Abstractions;

namespace SspHost.Panel.Tests;

/// <summary>
/// SSP_MONKEY=1 takes the full numbers: 10^6 for the session, 10^6 for the pages; without it as many as take some seconds. SSP_SEED=n is another monkey; the
/// seed and the number of the event are in whatever fails. With every picture drawn and an engine that plays: SspHost.Tests.
/// </summary>
public sealed class MonkeyTests(ITestOutputHelper output)
{
    private static readonly bool Full = Environment.GetEnvironmentVariable("SSP_MONKEY") == "1";
    private static readonly int Seed = int.TryParse(Environment.GetEnvironmentVariable("SSP_SEED"), NumberStyles.None, CultureInfo.InvariantCulture, out var seed) ? seed : 1;

    [Fact]
    public void A_session_that_anything_is_done_to_is_undone_to_its_first_patch()
    {
        var modules = new DescriptorIndex(TestHost.Shipped);
        var random = new Random(Seed);
        var start = Start(modules, random);
        var first = PatchJson.Write(start);
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = modules, Sink = new StillSink(), Start = start });
        var monkey = new SessionMonkey(session, modules, random);
        var events = Full ? 1_000_000 : 60_000;
        for (var i = 0; i < events; i++)
        {
            Guarded(i, monkey.Act);
            if (i % 10_000 == 0) Sound(session.Current, modules, i);
        }

        Assert.True(monkey.Done > events / 2, $"seed {Seed}: only {monkey.Done} of {events} did anything");
        UndoneToTheStart(session, first);
    }

    [Fact]
    public void A_panel_that_any_control_is_moved_on_leaves_a_patch_that_is_undone_to_the_first() 
    {
        var events = Full ? 1_000_000 : 100_000;
        var random = new Random(Seed);
        var shared = Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(); // K6 saves: without wearing a disk
        var folder = Directory.CreateDirectory(Path.Combine(shared, $"ssp-monkey-{Environment.ProcessId}"));
        try
        {
            using var host = new TestHost(Start(new DescriptorIndex(TestHost.Shipped), random));
            host.SampleFiles.AddRange(["a.wav", "drums/b.wav"]);
            Assert.Null(host.Save(Path.Combine(folder.FullName, "patch.json")));
            var first = PatchJson.Write(host.Session.Current);
            using var panel = new FrontPanel(host);
            _ = panel.Draw();
            var monkey = new PanelMonkey(panel, host, random);
            for (var i = 0; i < events; i++)
            {
                Guarded(i, monkey.Act);
                if (i % 200 == 199) Guarded(i, () => _ = panel.Draw());
                if (i % 5_000 == 0) Sound(host.Session.Current, host.Modules, i);
            }

            output.WriteLine($"seed {Seed}: {host.Session.Sequence} changes, pages {string.Join(' ', monkey.Pages.Order(StringComparer.Ordinal))}");
            Assert.True(host.Session.Sequence > events / 100, $"seed {Seed}: {host.Session.Sequence} changes of {events} events: the monkey does too little");
            foreach (var page in panel.All) Assert.True(events < 10_000 || monkey.Pages.Contains(page.Id), $"seed {Seed}: the monkey was never on {page.Id}");
            UndoneToTheStart(host.Session, first);
            _ = panel.Draw();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static void Guarded(int i, Action act)
    {
        try
        {
            act();
        }
        catch (Exception e)
        {
            throw new InvalidOperationException($"seed {Seed}, event {i}: {e.Message}", e);
        }
    }

    private static void Sound(Patch patch, DescriptorIndex modules, int i)
    {
        var load = PatchJson.Read(PatchJson.Write(patch), "", modules);
        Assert.True(load.Error is null, $"seed {Seed}, event {i}: {load.Error}");
        Assert.True(patch.Equals(load.Patch), $"seed {Seed}, event {i}: the patch does not read back as it was");
    }

    private static void UndoneToTheStart(PatchSession session, byte[] first)
    {
        while (session.CanUndo)
        {
            var error = session.Undo();
            Assert.True(error is null, $"seed {Seed}: {error}");
        }

        Assert.True(first.AsSpan().SequenceEqual(PatchJson.Write(session.Current)), $"seed {Seed}: undone to the start, the patch is another");
    }

    private static Patch Start(DescriptorIndex modules, Random random)
    {
        using var session = PatchSession.Start(new PatchSessionOptions { Modules = modules, Sink = new StillSink(), Start = new Patch { Id = "monkey", Name = "First" } });
        var monkey = new SessionMonkey(session, modules, random);
        for (var i = 0; i < 60; i++) monkey.Act();
        return session.Current with { Id = "monkey" };
    }

    /// <summary>Everything that can be done to a session, often knobs.</summary>
    private sealed class SessionMonkey(PatchSession session, DescriptorIndex modules, Random random)
    {
        private const int Many = 10; // modules: more only take longer

        private readonly IReadOnlyList<ModuleDescriptor> _types = modules.Current;
        private readonly List<ModulePreset> _presets = [];
        private int _gestures;

        public int Done { get; private set; }

        public void Act()
        {
            var patch = session.Current;
            var what = random.Next(100);
            if (what < 3) Note(session.Undo());
            else if (what < 5) Note(session.Redo());
            else if (what < 8) Gesture();
            else if (patch.Modules.IsEmpty || (what < 11 && patch.Modules.Length < Many)) Add(patch);
            else Note(session.Apply(Edits(patch, what)));
        }

        private void Gesture()
        {
            if (_gestures < 2 && random.Next(2) == 0)
            {
                session.BeginGesture();
                _gestures++;
            }
            else
            {
                session.EndGesture();
                _gestures = Math.Max(0, _gestures - 1);
            }

            Done++;
        }

        private void Note(PatchError? error) => Done += error is null ? 1 : 0;

        private void Add(Patch patch)
        {
            var type = _types[random.Next(_types.Count)];
            Note(session.Apply(new AddModule(new Module { Id = patch.FreeId(type.Id), Type = type.Id, Version = type.Version, X = random.Next(9), Y = random.Next(9) })));
        }

        private Edit[] Edits(Patch patch, int what)
        {
            var m = patch.Modules[random.Next(patch.Modules.Length)];
            var d = modules.Find(m.Type)!.Descriptor;
            var c = patch.Cables.IsEmpty ? null : patch.Cables[random.Next(patch.Cables.Length)];
            return what switch
            {
                < 12 => [new RemoveModule(m.Id)],
                < 16 => Connect(patch, toParameter: false),
                < 18 => Connect(patch, toParameter: true),
                18 when c is not null => [new Disconnect(c.From, c.To)],
                19 when c is not null => [new SetCableGain(c.From, c.To, (random.NextSingle() * 4) - 2)],
                20 => [new Bypass(m.Id, random.Next(2) == 0)],
                21 => [new Move(m.Id, random.Next(-5, 20), random.Next(-5, 20)), new Rename(m.Id, random.Next(3) == 0 ? "" : $"name {random.Next(9)} \u266b")],
                22 => [new Duplicate(m.Id, patch.FreeId(m.Type), random.Next(2) == 0)],
                23 when d.Settings.Count > 0 && d.Settings[0] is var s => [new SetSetting(m.Id, s.Id, random.Next(s.Min, Math.Min(s.Max, s.Min + 8) + 1))],
                24 => [new RenamePatch($"patch {random.Next(9)}"), new SetNotes("a\nb")],
                25 => [new SetQuantum(16 << random.Next(5))],
                26 => [new StoreScene(random.Next(PatchLimits.Scenes), random.Next(4) == 0 ? null : SceneEdits.Take(patch, modules))],
                27 when Scene(patch) is { } scene => [.. SceneEdits.Recall(patch, scene, modules)],
                < 36 when Scene(patch) is { } one && Scene(patch) is { } two => [.. SceneEdits.Morph(patch, one, two, random.NextDouble(), modules)],
                36 when d.Parameters.Count > 0 && d.Parameters[random.Next(d.Parameters.Count)] is var p =>
                    [new MapController(new ControllerMap { Number = random.Next(128), Channel = random.Next(17), Module = m.Id, Parameter = p.Id, From = p.Min, To = p.Max })],
                37 when !patch.Controllers.IsEmpty => [new UnmapController(patch.Controllers[random.Next(patch.Controllers.Length)])],
                38 => Keep(m),
                < 41 when _presets.Count > 0 && _presets[random.Next(_presets.Count)].EditsFor(patch, m.Id, modules, out _) is { } edits => [.. edits],
                41 when d.Assets.Count > 0 => [new SetAsset(m.Id, d.Assets[0].Id, random.Next(3) == 0 ? null : $"s{random.Next(4)}.wav")],
                42 when d.StateBytes > 0 => [new SetState(m.Id, d.Version, new StateBlob([(byte)random.Next(256)]))],
                43 when random.Next(20) == 0 => [new ReplacePatch(patch with { Id = $"other{random.Next(3)}", Modules = [m], Cables = [], Controllers = [] })],
                44 => [new SetParameter(m.Id, "nothing", 1), new RemoveModule(m.Id)], // refused as a whole
                _ when d.Parameters.Count > 0 && d.Parameters[random.Next(d.Parameters.Count)] is var p =>
                    [new SetParameter(m.Id, p.Id, ParameterTravel.Turned(p, ParameterTravel.At(p, random.NextDouble()), random.Next(-9, 10), random.Next(-1, 2), random.Next(2) == 0))],
                _ => [new Move(m.Id, random.Next(20), 3)],
            };
        }

        private Edit[] Keep(Module m)
        {
            if (_presets.Count > 30) _presets.RemoveAt(0);
            _presets.Add(ModulePreset.Of(m, modules));
            return [new Bypass(m.Id, !m.Bypass)];
        }

        private Scene? Scene(Patch patch) => patch.Scenes.IsEmpty ? null : patch.Scenes[random.Next(patch.Scenes.Length)];

        private Edit[] Connect(Patch patch, bool toParameter)
        {
            var (a, b) = (patch.Modules[random.Next(patch.Modules.Length)], patch.Modules[random.Next(patch.Modules.Length)]);
            var outputs = modules.Find(a.Type)!.Descriptor.Outputs;
            var ends = toParameter ? modules.Find(b.Type)!.Descriptor.Parameters.Select(p => "@" + p.Id).ToArray() : [.. modules.Find(b.Type)!.Descriptor.Inputs.Select(i => i.Id)];
            if (outputs.Count == 0 || ends.Length == 0) return [new Bypass(a.Id, !a.Bypass)];
            return [new Connect(new PortRef(a.Id, outputs[random.Next(outputs.Count)].Id), new PortRef(b.Id, ends[random.Next(ends.Length)]), random.Next(2) == 0 ? 1 : random.NextSingle())];
        }
    }
}
