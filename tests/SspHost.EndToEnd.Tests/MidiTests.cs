// MIDI from a cable to the sound and into the patch: the native programs, with FIFOs for cables.
using System.Runtime.InteropServices;
using System.Text.Json.Nodes;
using SspHost.Abi;

namespace SspHost.EndToEnd.Tests;

[Collection("audio")]
public sealed unsafe partial class MidiTests : IDisposable
{
    // Jack 1: the gate of a keyboard. Jack 2: a voltage that starts at 1 V. Scene 3 sets it to 4 V.
    private const string Patch = """
        {
          "format": 1, "id": "midi-NAME", "name": "NAME",
          "modules": [
            { "id": "keys", "type": "midi-cv" },
            { "id": "knob", "type": "voltage", "params": { "volts": VOLTS } },
            { "id": "out", "type": "audio-out" }
          ],
          "cables": [ { "from": "keys.gate", "to": "out.in1" }, { "from": "knob.out", "to": "out.in2" } ],
          "scenes": [ null, null, { "params": { "knob": { "volts": 4 } } } ]
        }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("ssp-midi-").FullName;
    private readonly string _fifo, _first, _config;

    public MidiTests()
    {
        _fifo = Path.Combine(_folder, "cable");
        Assert.Equal(0, MakeFifo(_fifo, 0x180));
        var patches = Directory.CreateDirectory(Path.Combine(_folder, "patches")).FullName;
        _first = Write("a-first", "1");
        Write("b-second", "2");
        _config = Path.Combine(_folder, "ssp.json");
        File.WriteAllText(_config, new JsonObject { ["patches"] = patches, ["midi"] = new JsonObject { ["devices"] = _fifo } }.ToJsonString());

        string Write(string name, string volts)
        {
            var path = Path.Combine(patches, name + ".json");
            File.WriteAllText(path, Patch.Replace("NAME", name, StringComparison.Ordinal).Replace("VOLTS", volts, StringComparison.Ordinal));
            return path;
        }
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static float Volts(PlayingHost host, int jack)
    {
        var audio = host.Audio;
        return audio.OutputPeaks[jack - 1];
    }

    private static void Plays(PlayingHost host, int jack, float volts) =>
        Eventually.True(() => Math.Abs(Volts(host, jack) - volts) < 0.02f, $"{volts} V at jack {jack}");

    private static bool IsOpen(PlayingHost host) => host.Look.Map.MidiPorts[1].State == MidiPortState.Open;

    private static void HeapStandsStill(PlayingHost host)
    {
        var now = Linux.Now();
        StewardStatus status = default;
        Eventually.True(() => host.Look.TrySteward(out status) && status.Time > now, "a status from now on");
        Assert.Equal((0L, 0L), (status.Collections, status.AllocatedBytes));
    }

    private FileStream Cable(PlayingHost host)
    {
        Eventually.True(() => IsOpen(host), "the cable is listened to");
        return new FileStream(_fifo, FileMode.Open, FileAccess.Write);
    }

    private static void Send(FileStream cable, params ReadOnlySpan<byte> bytes)
    {
        cable.Write(bytes);
        cable.Flush();
    }

    private static JsonObject Command(string command) => new() { ["command"] = command };

    private static float Knob(Control control) =>
        (float)control.Ask(Command("patch"))["patch"]!["modules"]!.AsArray().Single(m => (string)m!["id"]! == "knob")!["params"]!["volts"]!;

    [Fact]
    public void A_note_sounds_while_its_key_is_down_and_no_longer_than_its_cable_is_in()
    {
        using var host = new PlayingHost(_first, "--config", _config);
        using (var cable = Cable(host))
        {
            Plays(host, 1, 0);
            Send(cable, 0x90, 60, 100);
            Plays(host, 1, 10);
            Send(cable, 0x80, 60, 0);
            Plays(host, 1, 0);
            Send(cable, 0x90, 61, 100);
            Plays(host, 1, 10);
        }

        Plays(host, 1, 0); // pulled out with the key down
        Eventually.True(() => !IsOpen(host), "it is told");
        using (var cable = Cable(host))
        {
            Send(cable, 0x90, 62, 100);
            Plays(host, 1, 10);
        }

        Eventually.True(() => host.Text.Contains(_fifo + " has gone", StringComparison.Ordinal), "the player is told: " + host.Text);
        Assert.Equal(0UL, host.Look.Map.Midi->Dropped);
        using (var control = new Control(Path.Combine(host.Directory, "control.sock")))
        {
            var midi = Eventually.Get(() => control.Ask(Command("status"))["midi"] is { } m && m["ports"]!.AsArray().Count > 0 ? m : null, "MIDI in the status");
            var port = Assert.Single(midi["ports"]!.AsArray())!;
            Assert.Equal((_fifo, "device"), ((string)port["name"]!, (string)port["kind"]!));
            Assert.Equal("ssp-events", (string)midi["thread"]!["name"]!);
            Assert.True((string)midi["thread"]!["policy"]! != "FIFO" || (int)midi["thread"]!["priority"]! == 70);
            Assert.True((int)midi["latencyFrames"]! > 32);
        }

        HeapStandsStill(host);
        host.End();
    }

    [Fact]
    public void A_controller_moves_what_it_was_put_in_charge_of_and_its_gesture_is_one_undo_step()
    {
        using var host = new PlayingHost(_first, "--config", _config);
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        using var cable = Cable(host);
        foreach (var (number, fine) in ((int, bool)[])[(20, false), (1, true)])
        {
            control.Ask(new JsonObject
            {
                ["command"] = "edit",
                ["edits"] = new JsonObject
                {
                    ["op"] = "map",
                    ["map"] = new JsonObject { ["port"] = _fifo, ["channel"] = 2, ["number"] = number, ["fine"] = fine, ["module"] = "knob", ["param"] = "volts", ["from"] = 0, ["to"] = 8 },
                },
            });
        }

        // The table reaches the engine within some 10 ms: until then a controller moves nothing.
        Plays(host, 2, 1);
        Eventually.True(
            () =>
            {
                Send(cable, 0xB1, 20, 127);
                return Volts(host, 2) > 7.9f;
            },
            "the controller is in charge");
        Eventually.True(() => Knob(control) == 8f, "the patch has it once the controller rests");
        control.Ask(Command("undo"));
        Plays(host, 2, 1);

        for (byte value = 0; value < 64; value++) Send(cable, 0xB1, 20, value);
        Plays(host, 2, 8 * 63 / 127f);
        Eventually.True(() => Math.Abs(Knob(control) - (8 * 63 / 127f)) < 1e-3f, "the patch has where it rests");
        control.Ask(Command("undo"));
        Assert.Equal(1f, Knob(control)); // all of it in one step
        Plays(host, 2, 1);

        Send(cable, 0xB1, 1, 64, 33, 64); // running status; both halves
        Plays(host, 2, 8 * ((64 * 128) + 64) / 16383f);
        HeapStandsStill(host);
        host.End();
    }

    [Fact]
    public void Program_changes_recall_scenes_and_in_bank_1_open_patches()
    {
        using var host = new PlayingHost(_first, "--config", _config);
        using var cable = Cable(host);
        Plays(host, 2, 1);
        Send(cable, 0xC5, 2);
        Plays(host, 2, 4);
        Send(cable, 0xB5, 0, 1, 0xC5, 1);
        Plays(host, 2, 2);
        Eventually.True(() => host.Text.Contains("patch 2 (b-second.json)", StringComparison.Ordinal), "it is said: " + host.Text);
        Send(cable, 0xC5, 99); // there is none: what plays plays on
        Eventually.True(() => host.Text.Contains("there is no patch 100", StringComparison.Ordinal), "it is said: " + host.Text);
        Plays(host, 2, 2);
        Send(cable, 0xC4, 2); // the bank is of another channel
        Plays(host, 2, 4);
        using var control = new Control(Path.Combine(host.Directory, "control.sock"));
        control.Ask(Command("undo"));
        Plays(host, 2, 2); // a scene is an undo step
        host.End();
    }

    [Fact]
    public void Garbage_stops_nothing()
    {
        using var host = new PlayingHost(_first, "--config", _config);
        using var cable = Cable(host);
        var random = new Random(7);
        var bytes = new byte[64];
        var quanta = host.Audio.Quanta;
        for (var i = 0; i < 2000; i++)
        {
            random.NextBytes(bytes);
            foreach (ref var b in bytes.AsSpan())
                if (b is >= 0xC0 and < 0xD0) b = 0xF7; // programs are no garbage: each would be an edit
            Send(cable, bytes);
        }

        Eventually.True(() => host.Look.Map.MidiPorts[1].Noise > 0 && host.Audio.Quanta > quanta + 1000, "it plays on");
        Send(cable, 0xF7, 0xB0, 123, 0, 0xB0, 64, 0); // whatever was played is over
        for (byte channel = 0; channel < 16; channel++) Send(cable, (byte)(0xB0 | channel), 64, 0, 123, 0);
        Plays(host, 1, 0);
        Send(cable, 0x90, 60, 100);
        Plays(host, 1, 10);
        Assert.Equal(0UL, host.Audio.AllocatedBytes);
        HeapStandsStill(host);
        host.End();
    }

    [LibraryImport("libc", EntryPoint = "mkfifo", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MakeFifo(string path, uint mode);
}
