// What a person solders by against what the kernel is told: the tables and the picture of the wiring, and the device tree.
using System.Globalization;
using System.Text.RegularExpressions;

namespace SspHost.Target.DeviceTree;

[Trait("Runs", "always")]
[Collection(TreesCollection.Name)]
public sealed partial class WiringTests(Trees trees)
{
    private static readonly string[] Banks = ["/pinctrl/gpio@ff720000", "/pinctrl/gpio@ff730000", "/pinctrl/gpio@ff780000", "/pinctrl/gpio@ff788000", "/pinctrl/gpio@ff790000"];

    private readonly string _readme = File.ReadAllText(Path.Combine(Trees.Root, "board/README.md"));

    [Fact]
    public void The_table_of_pins_is_the_device_trees()
    {
        var table = PinRow().Matches(_readme).Select(m => (Pin: Number(m, "pin"), Pad: m.Groups["pad"].Value, Signal: m.Groups["signal"].Value)).ToArray();
        var tree = PinComment().Matches(Trees.Source).Select(m => (Pin: Number(m, "pin"), Pad: m.Groups["pad"].Value, Signal: m.Groups["signal"].Value)).ToArray();
        Assert.Equal(20, table.Length);
        Assert.Equal(tree.OrderBy(p => p.Pin), table);
    }

    [Fact]
    public void The_picture_has_the_same_signals_at_the_same_pins()
    {
        var svg = File.ReadAllText(Path.Combine(Trees.Root, "docs/board-wiring.svg"));
        var drawn = PinDrawn().Matches(svg).ToDictionary(m => Number(m, "pin"), m => m.Groups["signal"].Value);
        foreach (Match row in PinRow().Matches(_readme)) Assert.Equal(row.Groups["signal"].Value, drawn[Number(row, "pin")]);
        Assert.Equal(PinRow().Count(_readme), drawn.Values.Count(v => v.Contains('_', StringComparison.Ordinal) || v.StartsWith('S')));
    }

    [Fact]
    public void Pads_with_a_setup_are_the_ones_whose_names_stand_beside_them()
    {
        // "<1 22 0 &pcfg_pull_up>, /* pin 11 GPIO1_C6 ENC1_A */"
        var setups = PinSetup().Matches(Trees.Source);
        Assert.Equal(17, setups.Count);
        foreach (Match m in setups) Assert.Equal(m.Groups["pad"].Value, Pad(Number(m, "bank"), Number(m, "line")));
    }

    [Fact]
    public void Lines_that_the_host_asks_for_by_name_are_the_pads_of_the_table()
    {
        foreach (Match row in PinRow().Matches(_readme))
        {
            var signal = row.Groups["signal"].Value;
            for (var bank = 0; bank < Banks.Length; bank++)
            {
                if (!trees.Board.Has(Banks[bank], "gpio-line-names")) continue;
                var line = Array.IndexOf(trees.Board.Texts(Banks[bank], "gpio-line-names"), signal);
                if (line >= 0) Assert.Equal(row.Groups["pad"].Value, Pad(bank, line));
            }
        }

        var named = Banks.Where(b => trees.Board.Has(b, "gpio-line-names")).SelectMany(b => trees.Board.Texts(b, "gpio-line-names")).Where(n => n.Length > 0);
        var table = PinRow().Matches(_readme).Select(m => m.Groups["signal"].Value).ToHashSet(StringComparer.Ordinal);
        Assert.All(named, n => Assert.Contains(n, table));
    }

    [Fact]
    public void The_control_bus_is_on_the_pads_that_Debians_tree_gives_it()
    {
        var pins = trees.Debian.Cells("/pinctrl/i2c8/i2c8-xfer", "rockchip,pins").Chunk(4).Select(p => Pad(p[0], p[1])).Order(StringComparer.Ordinal);
        Assert.Equal(PinRow().Matches(_readme).Where(m => m.Groups["signal"].Value.StartsWith("I2C8", StringComparison.Ordinal)).Select(m => m.Groups["pad"].Value).Order(StringComparer.Ordinal), pins);
    }

    [Fact]
    public void The_table_of_the_expanders_has_their_lines_names()
    {
        var rows = ExpanderRow().Matches(_readme);
        Assert.Equal(16, rows.Count);
        var (keys, rest) = (trees.Board.Texts("/i2c@ff3e0000/gpio@20", "gpio-line-names"), trees.Board.Texts("/i2c@ff3e0000/gpio@21", "gpio-line-names"));
        for (var line = 0; line < 16; line++)
        {
            Assert.Equal(line, (Number(rows[line], "port") * 8) + Number(rows[line], "bit"));
            Assert.Equal((keys[line], rest[line]), (rows[line].Groups["keys"].Value, rows[line].Groups["rest"].Value));
        }
    }

    private static int Number(Match m, string group) => int.Parse(m.Groups[group].Value, CultureInfo.InvariantCulture);

    private static string Pad(int bank, int line) => FormattableString.Invariant($"GPIO{bank}_{(char)('A' + (line / 8))}{line % 8}");

    [GeneratedRegex(@"^\| (?<pin>\d+) \| (?<pad>GPIO\d_[A-D]\d) \| (?<signal>\w+) \|", RegexOptions.Multiline, 1000)]
    private static partial Regex PinRow();

    [GeneratedRegex(@"pin +(?<pin>\d+) (?<pad>GPIO\d_[A-D]\d) (?<signal>\w+)", RegexOptions.None, 1000)]
    private static partial Regex PinComment();

    [GeneratedRegex(@"<(?<bank>\d) +(?<line>\d+) \d &pcfg_\w+>[,;]\s*/\* pin +\d+ (?<pad>GPIO\d_[A-D]\d) ", RegexOptions.None, 1000)]
    private static partial Regex PinSetup();

    [GeneratedRegex("""id="pin-(?<pin>\d+)"[^>]*>(?<signal>[^<]*)<""", RegexOptions.None, 1000)]
    private static partial Regex PinDrawn();

    [GeneratedRegex(@"^\| IO(?<port>\d)_(?<bit>\d) \| (?<keys>\w*) ?\| ?(?<rest>\w*) ?\|", RegexOptions.Multiline, 1000)]
    private static partial Regex ExpanderRow();
}
