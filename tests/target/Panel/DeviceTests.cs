// The panel's devices in a machine: from an edge to a changed patch, from a page to the pixels of the screen, from a note to a voltage; the codec's registers.
using System.Globalization;
using System.Text.Json;
using SspHost.Panel.Tests.Kit;
using SspHost.Target.Kit;
using static SspHost.Target.Panel.PanelTarget;

namespace SspHost.Target.Panel;

public sealed class DeviceTests(PanelTarget target) : IClassFixture<PanelTarget>
{
    [Fact]
    public void A_push_and_a_turn_of_an_encoder_change_the_patch_and_turning_back_takes_it_back()
    {
        target.Run(Patches.PlaySines(440));
        var before = Knob(target.Patch(), "vco1", "pitch");
        // E1 pushed on the Patch page opens the chosen module; there E1 is its first knob.
        string[] open = [.. Page(K1), Tap(E1), "wait 300"];
        const string ask = """ask {"command":"patch"}""";
        var answers = target.Hands([.. open, "turn 1 3", "wait 700", ask, "turn 1 -3", "wait 700", ask]);
        var (up, back) = (Knob(PatchOf(answers[^2]), "vco1", "pitch"), Knob(PatchOf(answers[^1]), "vco1", "pitch"));
        Assert.True(up > before, $"from {before} to {up}");
        Assert.Equal(before, back, 1e-6);
    }

    [Fact]
    public void Keys_place_a_module_and_undo_it()
    {
        target.Run(Patches.PlaySines(440));
        const string ask = """ask {"command":"patch"}""";
        var answers = target.Hands([.. Page(K1), Tap(K1), "wait 500", Tap(K1), "wait 700", ask, Tap(K7), "wait 700", ask]);
        int Modules(string answer) => PatchOf(answer).GetProperty("modules").GetArrayLength();
        Assert.Equal((3, 2), (Modules(answers[^2]), Modules(answers[^1])));
    }

    [Fact]
    public void A_panel_that_is_unplugged_while_a_key_is_held_lets_go_of_it_and_works_when_it_is_back()
    {
        target.Run(Patches.PlaySines(440));
        _ = target.Hands(Press(ShiftRight)); // the devices end with the script, the shift still down
        var answers = target.Hands([.. Page(K1), Tap(K1), "wait 500", Tap(K1), "wait 700", """ask {"command":"patch"}"""]);
        Assert.Equal(3, PatchOf(answers[^1]).GetProperty("modules").GetArrayLength());
    }

    [Fact]
    public void The_screen_of_the_graphics_driver_shows_the_golden_page()
    {
        _ = target.Hands([.. Page(K5), Tap(K8), "wait 1500"]);
        ShowsHelpOfTheScope();
    }

    [Fact]
    public void So_does_the_frame_buffer()
    {
        target.Configure("""  "board": { "screen": { "device": "/dev/fb0" } }""");
        try
        {
            _ = target.Hands([.. Page(K5), Tap(K8), "wait 1500"]);
            ShowsHelpOfTheScope();
        }
        finally
        {
            target.Configure("");
        }
    }

    [Fact]
    public void A_note_of_the_sequencer_is_a_voltage_for_as_long_as_it_lasts()
    {
        const string patch = """
            { "format": 1, "id": "target-midi", "name": "MIDI", "quantum": 32,
              "modules": [{ "id": "midi1", "type": "midi-cv", "version": 1, "x": 0, "y": 0 }, { "id": "out1", "type": "audio-out", "version": 1, "x": 0, "y": 0, "params": { "level": 1 } }],
              "cables": [{ "from": "midi1.gate", "to": "out1.in1" }] }
            """;
        // A track of one note: middle C for two beats of half a second.
        const string file = @"printf 'MThd\0\0\0\006\0\0\0\001\0\140MTrk\0\0\0\015\0\220\074\144\201\100\200\074\100\0\377\057\0' >/tmp/note.mid";
        const string levels = """ask {"command":"levels"}""";
        target.Run("modprobe snd_seq; until_true 50 test -e /dev/snd/seq; udevadm settle");
        target.Configure("""  "midi": { "devices": "seq" }""");
        try
        {
            var answers = target.Play(
                [levels, .. Enumerable.Repeat(new[] { "wait 200", levels }, 20).SelectMany(l => l)],
                $$"""
                play <<'PATCH'
                {{patch}}
                PATCH
                until_true 50 'aplaymidi -l | grep -q "ssp  *in"'
                sleep 6 # what was played before rings out
                {{file}}
                (sleep 1; aplaymidi -p "$(aplaymidi -l | awk '$2 == "ssp" { print $1 }')" /tmp/note.mid) </dev/null >/tmp/aplaymidi 2>&1 &
                """);
            var volts = answers.Select(Volts).ToArray();
            var all = Text(volts) + target.Run("cat /tmp/aplaymidi");
            Assert.True(volts[0] < 0.1, all);
            Assert.True(volts[^1] < 0.1, all);
            Assert.True(volts.Count(v => v > 9) is >= 3 and <= 7, all); // one second in steps of 0.2 s, peaks of the last 50 to 100 ms
            Assert.True(volts.Max() < 10.01, all);
        }
        finally
        {
            target.Configure("");
        }
    }

    [Fact]
    public void The_codecs_registers_are_set_over_the_kernels_own_bus_before_anything_plays()
    {
        target.Run("modprobe i2c_stub chip_addr=0x44; modprobe i2c-dev; modprobe snd-aloop; until_true 50 grep -q Loopback /proc/asound/cards");
        var bus = target.Run("for b in /sys/bus/i2c/devices/i2c-*; do grep -q 'SMBus stub' $b/name && echo /dev/${b##*/}; done");
        target.Configure($$"""
              "board": { "codec": { "chip": "pcm3168a", "bus": "{{bus}}", "reset": "", "card": "Loopback" } }
            """.Trim());
        try
        {
            target.Run("sed -i 's/alsa:hw:0,0/alsa:hw:Loopback,0/' $SSP_CONFIG; systemctl restart ssp; until_true 150 'ssp status --json | grep -q playing'");
            string Register(int number) => FormattableString.Invariant($"i2c {bus} 0x44 {number:x4}").Replace(" 00", " 0x", StringComparison.Ordinal);
            Assert.Equal(["20", "07", "c0", "d7", "ff"], target.Play([Register(0x51), Register(0x52), Register(0x42), Register(0x5E), Register(0x47)]));
            const string log = """{"command":"log"}""";
            Assert.Contains($"codec: pcm3168a at {bus}, 0x44 is ready, 10.3 V at full scale", target.Play(["ask " + log])[0], StringComparison.Ordinal);
            // The chip remembers an overflow; the host says so. Then somebody turns the filters on; the doctor says so.
            Assert.Contains("input 3 was beyond the 10.3 V", target.Play([Register(0x56) + " 0x04", "until 5000 beyond " + log])[0], StringComparison.Ordinal);
            Assert.Contains("codec: the codec's registers are as they were set", target.Run("ssp doctor --all || true"), StringComparison.Ordinal);
            target.Play([Register(0x52) + " 0"]);
            Assert.Contains("register 0x52 reads 0x00, written was 0x07", target.Run("ssp doctor || true"), StringComparison.Ordinal);
        }
        finally
        {
            target.Configure("");
        }
    }

    [Fact]
    public void The_cards_interrupt_has_its_priority_since_the_card_came_and_cores_may_not_sleep_deeply()
    {
        var thread = target.Run("ps -e -o comm=,cls=,rtprio= | awk '$1 ~ /^irq\\/[0-9]+-snd_hda/ { print $2, $3 }'");
        Assert.Equal("FF 85", thread);
        Assert.Equal("0", target.Run("od -An -td4 -N4 /dev/cpu_dma_latency | tr -d ' '"));
        var said = target.Run("SSP_IRQ_CPU=0 /usr/lib/ssphost/irq.sh; journalctl -b -u ssp-irq --no-pager -o cat");
        Assert.Contains("FIFO 85 as before", said, StringComparison.Ordinal);
    }

    private void ShowsHelpOfTheScope()
    {
        var (screen, golden) = (target.Look(), Picture.Load(Path.Combine(TargetDisk.Root, "tests/SspHost.Panel.Tests/Golden/help.png")));
        // Between the title, where the patch and its load stand, and the keys, of which Undo depends on what was done.
        const int top = 42, bottom = 432;
        Assert.Equal((golden.Width, golden.Height), (screen.Width, screen.Height));
        var different = Enumerable.Range(top, bottom - top).Sum(y => Picture.Different(screen.Row(y), golden.Row(y)));
        if (different <= Picture.Share * screen.Width * (bottom - top)) return;
        var kept = Path.Combine(TargetDisk.Directory, "screen.is.png");
        File.Copy(screen.File, kept, overwrite: true);
        Assert.Fail($"{different} pixels differ; what was seen is {kept}");
    }

    private static double Volts(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.GetProperty("result").GetProperty("outputs").GetProperty("volts")[0].GetDouble();
    }

    private static string Text(double[] volts) => string.Join(' ', volts.Select(v => v.ToString("0.00", CultureInfo.InvariantCulture)));
}
