// The merged device tree against what the host expects of it: names, codes and addresses are written down twice, in C# and in the tree, and must agree.
using System.Text.RegularExpressions;
using SspHost.Board;
using SspHost.Panel.Surface;
using SspHost.Target.Kit;

namespace SspHost.Target.DeviceTree;

[Trait("Runs", "always")]
[Collection(TreesCollection.Name)]
public sealed class PanelTests(Trees trees)
{
    private readonly Tree _tree = trees.Board;

    [Fact]
    public void The_overlay_compiles_without_a_warning()
    {
        var compiled = Shell.Run(TimeSpan.FromSeconds(20), "dtc", "-@", "-I", "dts", "-O", "dtb", "-o", "/dev/null", Path.Combine(Trees.Root, "board/panel-rockpro64.dts"));
        Assert.Equal((0, ""), (compiled.ExitCode, compiled.Error));
    }

    [Fact]
    public void The_merged_tree_is_one_and_its_references_lead_somewhere()
    {
        Assert.Equal("", trees.Merge.Error);
        // dtc checks a tree when it reads one; Debian's own has findings, which are not ours to mend.
        Assert.Equal(Warnings(trees.Debian), Warnings(_tree));
        Assert.Equal("pine64,rockpro64-v2.1", _tree.Texts("/", "compatible")[0]);
    }

    [Fact]
    public void Every_label_that_is_added_is_one_that_the_overlay_uses()
    {
        var labels = Properties("/__symbols__").Where(l => !Regex.IsMatch(Trees.Source, $"(?<!\\w){l}: [\\w@-]+ \\{{", RegexOptions.None, TimeSpan.FromSeconds(1))).ToArray();
        Assert.Contains("i2s0", labels);
        Assert.All(labels, label => Assert.Matches($"&{label}\\b", Trees.Source));
    }

    [Fact]
    public void Encoders_have_the_line_names_that_the_host_looks_for()
    {
        var names = Lines("/pinctrl/gpio@ff730000").Concat(Lines("/pinctrl/gpio@ff790000")).ToArray();
        foreach (var encoder in GpioControls.UsualEncoders)
        {
            Assert.Single(names, n => n == encoder.A);
            Assert.Single(names, n => n == encoder.B);
        }

        // Both lines of an encoder on one chip: else the order of their edges is not known.
        foreach (var chip in new[] { "/pinctrl/gpio@ff730000", "/pinctrl/gpio@ff790000" })
            foreach (var encoder in GpioControls.UsualEncoders) Assert.Equal(Lines(chip).Contains(encoder.A), Lines(chip).Contains(encoder.B));
    }

    [Fact]
    public void Every_key_sends_the_code_that_the_host_takes_for_it_and_no_control_is_missing()
    {
        var found = new Dictionary<string, Control>(StringComparer.Ordinal);
        foreach (var button in _tree.Below("/panel-keys"))
        {
            var node = "/panel-keys/" + button;
            var label = _tree.Text(node, "label");
            Assert.True(KeyMap.Panel.TryGetValue(_tree.Cell(node, "linux,code"), out var control), label);
            found.Add(label, control);
            // A contact to ground, on the line of that name.
            var gpios = _tree.Cells(node, "gpios");
            Assert.Equal(1, gpios[2]);
            Assert.Equal(label, Lines(ExpanderOf(gpios[0]))[gpios[1]]);
            Assert.Equal(5, _tree.Cell(node, "debounce-interval"));
        }

        var expected = new Dictionary<string, Control>(StringComparer.Ordinal)
        {
            ["SOFT1"] = Control.K1, ["SOFT2"] = Control.K2, ["SOFT3"] = Control.K3, ["SOFT4"] = Control.K4,
            ["SOFT5"] = Control.K5, ["SOFT6"] = Control.K6, ["SOFT7"] = Control.K7, ["SOFT8"] = Control.K8,
            ["LEFT"] = Control.Left, ["RIGHT"] = Control.Right, ["UP"] = Control.Up, ["DOWN"] = Control.Down,
            ["SHIFT_L"] = Control.ShiftLeft, ["SHIFT_R"] = Control.ShiftRight,
            ["ENC1_SW"] = Control.E1, ["ENC2_SW"] = Control.E2, ["ENC3_SW"] = Control.E3, ["ENC4_SW"] = Control.E4,
        };
        Assert.Equal(expected.OrderBy(k => k.Key, StringComparer.Ordinal), found.OrderBy(k => k.Key, StringComparer.Ordinal));
        Assert.Equal(Enum.GetValues<Control>().Order(), found.Values.Order());
    }

    [Fact]
    public void Pushes_of_encoders_are_lines_with_the_names_that_the_host_looks_for_where_no_driver_has_them()
    {
        Assert.All(GpioControls.UsualKeys, k => Assert.Contains(k.Line, Lines(ExpanderAt(0x21))));
    }

    [Fact]
    public void There_is_a_light_for_each_soft_key()
    {
        var lights = _tree.Below("/panel-leds").Select(n => (Label: _tree.Text("/panel-leds/" + n, "label"), Gpios: _tree.Cells("/panel-leds/" + n, "gpios"))).ToArray();
        for (var n = 1; n <= 8; n++)
        {
            var light = Assert.Single(lights, l => l.Label == FormattableString.Invariant($"panel:white:soft{n}"));
            Assert.Equal(FormattableString.Invariant($"LED{n}"), Lines(ExpanderOf(light.Gpios[0]))[light.Gpios[1]]);
        }

        Assert.Equal(8, lights.Length);
    }

    [Fact]
    public void Expanders_and_codec_have_addresses_of_their_own_on_the_bus_that_the_host_opens()
    {
        var codec = new CodecSettings();
        var bus = _tree.Text("/aliases", Path.GetFileName(codec.Bus).Replace("-", "", StringComparison.Ordinal));
        Assert.Equal("/i2c@ff3e0000", bus);
        Assert.Equal("okay", _tree.Text(bus, "status"));
        Assert.Equal(400_000, _tree.Cell(bus, "clock-frequency")); // the fastest that PCA9555 and PCM3168A both can
        var addresses = _tree.Below(bus).Select(n => _tree.Cell($"{bus}/{n}", "reg")).ToArray();
        Assert.Equal([0x20, 0x21], addresses.Order());
        Assert.DoesNotContain(codec.Address, addresses); // no driver has it: the host may
    }

    [Fact]
    public void The_codecs_reset_is_the_line_that_the_host_asks_for()
    {
        Assert.Equal(21, Array.IndexOf(Lines("/pinctrl/gpio@ff790000"), new CodecSettings().Reset)); // GPIO4_C5
    }

    [Fact]
    public void The_expanders_interrupt_is_the_line_of_that_name()
    {
        foreach (var address in new[] { 0x20, 0x21 })
        {
            Assert.Equal(_tree.Handle("/pinctrl/gpio@ff730000"), _tree.Cell(ExpanderAt(address), "interrupt-parent"));
            Assert.Equal("PANEL_INT", Lines("/pinctrl/gpio@ff730000")[_tree.Cells(ExpanderAt(address), "interrupts")[0]]);
        }
    }

    [Fact]
    public void The_sound_card_has_the_codecs_name_six_inputs_four_outputs_and_a_clock_from_outside()
    {
        Assert.Equal(new CodecSettings().Card, _tree.Text("/sound-panel", "simple-audio-card,name"));
        const string i2s = "/i2s@ff880000";
        Assert.Equal("okay", _tree.Text(i2s, "status"));
        Assert.Equal((BoardCodec.LaneChannels, 6), (_tree.Cell(i2s, "rockchip,playback-channels"), _tree.Cell(i2s, "rockchip,capture-channels")));
        // One state: a driver that switches pins while a stream starts would sleep where it must not.
        Assert.Equal("default", _tree.Text(i2s, "pinctrl-names"));
        foreach (var (link, stub, compatible) in new[] { (0, "/audio-out-stub", "linux,spdif-dit"), (1, "/audio-in-stub", "linux,spdif-dir") })
        {
            var node = FormattableString.Invariant($"/sound-panel/simple-audio-card,dai-link@{link}");
            Assert.Equal(link, _tree.Cell(node, "reg")); // hw:SSPIO,0 plays, hw:SSPIO,1 records
            Assert.Equal(compatible, _tree.Text(stub, "compatible"));
            Assert.Equal(_tree.Handle(i2s), _tree.Cell(node + "/cpu", "sound-dai"));
            Assert.Equal(_tree.Handle(stub), _tree.Cell(node + "/codec", "sound-dai"));
            Assert.Equal("i2s", _tree.Text(node, "format"));
            foreach (var clock in new[] { "bitclock-master", "frame-master" }) Assert.Equal(_tree.Handle(node + "/codec"), _tree.Cell(node, clock));
        }
    }

    [Fact]
    public void The_lanes_of_the_audio_bus_are_pads_of_the_headers_bank()
    {
        var pins = _tree.Cells("/pinctrl/panel/panel-i2s0", "rockchip,pins").Chunk(4).ToArray();
        Assert.Equal([(3, 24), (3, 25), (3, 26), (3, 27), (3, 28), (3, 29), (3, 30), (3, 31), (4, 0)], pins.Select(p => (p[0], p[1])));
        Assert.All(pins, p => Assert.Equal((1, _tree.Handle("/pinctrl/pcfg-pull-none")), (p[2], p[3])));
        Assert.Equal(_tree.Handle("/pinctrl/panel/panel-i2s0"), _tree.Cell("/i2s@ff880000", "pinctrl-0"));
    }

    [Fact]
    public void The_screens_own_timing_is_one_that_the_processor_can()
    {
        var file = Path.GetTempFileName();
        try
        {
            Assert.Equal(0, Shell.Run(TimeSpan.FromSeconds(10), Path.Combine(Trees.Root, "board/edid.sh"), file).ExitCode);
            var decoded = Shell.Run(TimeSpan.FromSeconds(10), "edid-decode", "--check", file);
            Assert.True(decoded.ExitCode == 0, decoded.ToString());
            Assert.Contains("EDID conformity: PASS", decoded.Output, StringComparison.Ordinal);
            // 2080 x 520 at 65 MHz: of the clocks that a 6.1 kernel lets through on this HDMI the one nearest to 60 Hz.
            Assert.Matches(@"DTD 1: +1600x480 +60\.09\d* Hz .* 65\.000000 MHz", decoded.Output);
            Assert.Matches(@"Hfront +80 Hsync +160 Hback +240 Hpol P", decoded.Output);
            Assert.Matches(@"Vfront +10 Vsync +6 Vback +24 Vpol P", decoded.Output);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static string[] Warnings(Tree tree)
    {
        var read = Shell.Run(TimeSpan.FromSeconds(30), "dtc", "-I", "dtb", "-O", "dts", "-o", "/dev/null", tree.File);
        Assert.Equal(0, read.ExitCode);
        return [.. read.Error.Split('\n').Select(l => l[(l.IndexOf(": Warning", StringComparison.Ordinal) + 1)..])];
    }

    private string[] Properties(string node) =>
        Shell.Run(TimeSpan.FromSeconds(10), "fdtget", "-p", _tree.File, node).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private string[] Lines(string chip) => _tree.Texts(chip, "gpio-line-names");

    private string ExpanderAt(int address) => FormattableString.Invariant($"/i2c@ff3e0000/gpio@{address:x}");

    private string ExpanderOf(int handle) => new[] { 0x20, 0x21 }.Select(ExpanderAt).Single(e => _tree.Handle(e) == handle);
}
