// The events thread with real files: FIFOs and pseudo terminals that come and go, garbage, floods.
using System.Runtime.InteropServices;
using System.Text;
using SspHost.Abi;
using SspHost.Engine.Events;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Tests.Events;

public sealed unsafe partial class MidiInputsTests : IDisposable
{
    private readonly Region _region = Region.Create(64 << 20, default, "test", out var error, locks: false) ?? throw new InvalidOperationException(error);
    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-midi-").FullName;
    private readonly MidiInputs _inputs;
    private ulong _frame = 1000;

    public MidiInputsTests()
    {
        _inputs = new MidiInputs(_region);
        PlayOn();
    }

    private RegionMap Map => _region.Map;

    public void Dispose()
    {
        _inputs.Stop();
        _region.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private static MidiConfig Config(params string[] paths)
    {
        var config = default(MidiConfig);
        foreach (var path in paths) Assert.True(config.TryAdd(path, "port " + Path.GetFileName(path)));
        return config;
    }

    private string Fifo(string name)
    {
        var path = Path.Combine(_folder, name);
        Assert.Equal(0, MakeFifo(path, 0x180));
        return path;
    }

    // The steward looks and the audio thread plays on; until something is so.
    private void Until(Func<bool> condition, string what)
    {
        var until = Linux.Now() + 60_000_000_000;
        while (!condition())
        {
            Assert.True(Linux.Now() < until, $"still not: {what}");
            _inputs.Look(Linux.Now());
            PlayOn();
            Thread.Sleep(1);
        }
    }

    private void PlayOn() =>
        Map.FrameAnchor->Write(new FrameAnchor { Frame = _frame += 48, Time = Linux.Now(), NanosecondsPerFrame = 1e9 / 48_000, Rate = 48_000, Quantum = 32 });

    private ModuleEvent Next(string what)
    {
        ModuleEvent e = default;
        Until(() => Map.MidiEvents.TryPop(out e), what);
        return e;
    }

    private MidiPort Port(string path)
    {
        for (var p = 0; p < MidiLimits.Ports; p++)
        {
            if (Map.MidiPorts[p].State != MidiPortState.None && MidiPorts.NameOf(Map.MidiPorts[p]) == "port " + Path.GetFileName(path)) return Map.MidiPorts[p];
        }

        return default;
    }

    [Fact]
    public void A_fifo_is_heard_when_it_appears_and_again_when_its_writer_comes_back()
    {
        var path = Path.Combine(_folder, "keys");
        var config = Config(path);
        Assert.True(_inputs.Use(&config));
        Assert.Equal((MidiPortState.Absent, 2), (Port(path).State, Port(path).Error)); // ENOENT
        _ = Fifo("keys");
        Until(() => Port(path).State == MidiPortState.Open, "it is open");
        for (byte round = 1; round <= 3; round++)
        {
            using (var writer = new FileStream(path, FileMode.Open, FileAccess.Write)) writer.Write([0x90, 60, round]);
            var note = Next("the note");
            Assert.Equal((EventKind.NoteOn, 60, round / 127f), (note.Kind, note.Index, note.Value));
            Assert.InRange((long)(note.Frame - _frame), -4800, 4800);
            Assert.Equal((EventKind.Controller, 64), (Next("the pedal goes up").Kind, 64)); // the cable was pulled
            Assert.Equal(123, Next("all notes off").Index);
            Until(() => Port(path).State == MidiPortState.Absent, "it is gone");
            Until(() => Port(path).State == MidiPortState.Open, "it is open again");
        }

        Assert.Equal(3UL, Port(path).Messages);
    }

    [Fact]
    public void A_terminal_delivers_every_byte_as_it_is_and_may_be_pulled_out()
    {
        Assert.Equal(0, OpenTerminal(out var master, out var slave, 0, 0, 0));
        var name = new byte[128];
        fixed (byte* n = name) Assert.Equal(0, TerminalName(slave, n, 128));
        var path = Encoding.UTF8.GetString(name.AsSpan(0, Array.IndexOf(name, (byte)0)));
        var config = Config(path);
        Assert.True(_inputs.Use(&config));
        Assert.Equal(MidiPortState.Open, Port(path).State);
        _ = Linux.Close(slave);

        // Line feeds, carriage returns, interrupts and end of file, as a terminal would take them.
        byte[] bytes = [0x90, 10, 13, 0xB0, 3, 4, 0xE0, 26, 17, 0xA0, 28, 127];
        fixed (byte* b = bytes) Assert.Equal(bytes.Length, EventCalls.Write(master, b, (nuint)bytes.Length));
        Assert.Equal([(EventKind.NoteOn, 10), (EventKind.Controller, 3), (EventKind.PitchBend, 0), (EventKind.KeyPressure, 28)],
            Enumerable.Range(0, 4).Select(_ => Next("bytes")).Select(e => (e.Kind, e.Index)));
        Assert.Equal(0UL, Port(path).Noise);
        _ = Linux.Close(master);
        Until(() => Port(path).State == MidiPortState.Absent, "it is gone");
    }

    [Fact]
    public void Garbage_and_floods_stop_nothing_and_leave_the_machine_its_time()
    {
        var (noise, keys) = (Fifo("noise"), Fifo("keys"));
        var config = Config(noise, keys);
        Assert.True(_inputs.Use(&config));
        using var flood = new FileStream(noise, FileMode.Open, FileAccess.Write);
        using var writer = new FileStream(keys, FileMode.Open, FileAccess.Write);
        using var ending = new CancellationTokenSource();
        var flooding = Task.Run(() =>
        {
            var random = new Random(3);
            var bytes = new byte[4096];
            while (!ending.IsCancellationRequested)
            {
                random.NextBytes(bytes);
                flood.Write(bytes);
                flood.Flush();
            }
        });
        try
        {
            Until(() => Port(noise).Noise > 0, "the flood has begun");
            for (byte key = 1; key <= 20; key++)
            {
                // Written in the middle of the flood, heard within it: at the latest when the rings were emptied again.
                var wanted = key;
                Until(
                    () =>
                    {
                        writer.Write([0x9F, wanted, 99]);
                        writer.Flush();
                        var found = false;
                        while (Map.MidiEvents.TryPop(out var e)) found |= e.Kind == EventKind.NoteOn && e.Channel == 15 && e.Index == wanted && e.Value == 99 / 127f;
                        return found;
                    },
                    $"key {key}");
            }
        }
        finally
        {
            ending.Cancel();
        }

        Until(() => { while (Map.MidiEvents.TryPop(out _)) { } return flooding.IsCompleted; }, "the flood ends");
        Assert.Equal((MidiPortState.Open, MidiPortState.Open), (Port(noise).State, Port(keys).State));
        Assert.True(Port(noise).Noise > 0);
        Assert.True(Port(keys).Messages >= 20 && Port(keys).Noise == 0);
    }

    [Fact]
    public void What_is_no_cable_is_refused_with_its_reason_and_others_are_not_touched()
    {
        var file = Path.Combine(_folder, "song.mid");
        File.WriteAllBytes(file, [0x90, 60, 100]);
        var keys = Fifo("keys");
        var config = Config(file, _folder, keys);
        Assert.True(_inputs.Use(&config));
        Assert.Equal((MidiPortState.Failed, 22), (Port(file).State, Port(file).Error));
        Assert.Equal((MidiPortState.Failed, 22), (Port(_folder).State, Port(_folder).Error));
        Assert.Equal(MidiPortState.Open, Port(keys).State);
    }

    [Fact]
    public void Other_sources_take_the_place_of_those_that_are_not_wanted_and_the_rest_stays_open()
    {
        var (a, b) = (Fifo("a"), Fifo("b"));
        var both = Config(a, b);
        Assert.True(_inputs.Use(&both));
        using var writer = new FileStream(b, FileMode.Open, FileAccess.Write);
        var other = Config(b, Fifo("c"));
        Assert.True(_inputs.Use(&other));
        Assert.Equal(MidiPortState.None, Port(a).State);
        writer.Write([0x90, 1, 2]); // the same open file: a writer of one that was closed would get a SIGPIPE
        writer.Flush();
        Assert.Equal(1, Next("what b sends").Index);
        for (var i = 0; i < 50; i++)
        {
            var many = Config([.. Enumerable.Range(0, MidiLimits.Paths).Select(n => Path.Combine(_folder, $"{i}-{n}"))]);
            Assert.True(_inputs.Use(&many)); // places are found again and again
        }

        var none = default(MidiConfig);
        Assert.True(_inputs.Use(&none));
        Assert.All(Enumerable.Range(0, MidiLimits.Ports), p => Assert.Equal(MidiPortState.None, Map.MidiPorts[p].State));
    }

    [Fact]
    public void A_sequencer_that_is_not_there_is_told_and_looked_for()
    {
        if (File.Exists("/dev/snd/seq")) return; // a machine with sound: the sequencer is tested as it is
        var config = new MidiConfig { Sequencer = 1 };
        Assert.True(_inputs.Use(&config));
        var port = Map.MidiPorts[0];
        Assert.Equal((MidiPortState.Absent, 2, "sequencer"), (port.State, port.Error, MidiPorts.NameOf(in port)));
        _inputs.Look(Linux.Now() + 1_000_000_000);
        Assert.Equal(MidiPortState.Absent, Map.MidiPorts[0].State);
    }

    [Fact]
    public void The_thread_runs_as_it_says_and_allocates_nothing()
    {
        var keys = Fifo("keys");
        var config = Config(keys);
        Assert.True(_inputs.Use(&config));
        using var writer = new FileStream(keys, FileMode.Open, FileAccess.Write);
        void Play(int times)
        {
            for (var i = 0; i < times; i++)
            {
                writer.Write([0x90, 60, 100, 0xB0, 1, 64, 33, 5]);
                writer.Flush();
                for (var e = 0; e < 3; e++) _ = Next("an event");
            }
        }

        Play(20); // under the JIT, first calls allocate
        var before = _inputs.AllocatedBytes;
        Play(100);
        Assert.Equal(before, _inputs.AllocatedBytes);
        var thread = Map.Midi->Thread;
        Assert.Equal("ssp-events", Marshal.PtrToStringUTF8((nint)thread.Name));
        Assert.True(thread.Policy == 1 ? thread.Priority == 70 : thread.Priority == 0);
        Assert.Equal(1, thread.FlushToZero);
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "openpty")]
    private static partial int OpenTerminal(out int master, out int slave, nint name, nint mode, nint size);

    [LibraryImport("libc", EntryPoint = "ttyname_r")]
    private static partial int TerminalName(int file, byte* name, nuint bytes);
}
