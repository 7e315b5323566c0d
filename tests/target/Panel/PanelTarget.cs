// A machine with a screen, and hands in it: what tests of the panel share.
using System.Globalization;
using System.Text;
using System.Text.Json;
using SspHost.Panel.Tests.Kit;
using SspHost.Target.Kit;

namespace SspHost.Target.Panel;

/// <summary>The usual machine; its screen is 1600x480.</summary>
public sealed class PanelTarget : PlayingTarget
{
    /// <summary>Key codes of the panel, as linux/input-event-codes.h has them: KEY_1, KEY_F1, KEY_LEFTSHIFT...</summary>
    internal const int E1 = 2, K1 = 59, K5 = 63, K6 = 64, K7 = 65, K8 = 66, ShiftRight = 54;

    private readonly Lazy<string> _hands;

    public PanelTarget()
        : base(new GuestOptions { More = GuestOptions.Display }) => _hands = new Lazy<string>(() =>
    {
        var script = Convert.ToBase64String(File.ReadAllBytes(Path.Combine(TargetDisk.Root, "tests/target/Panel/hands.pl")));
        Run($"modprobe uinput; echo {script} | base64 -d >/tmp/hands.pl");
        return "/tmp/hands.pl";
    });

    /// <summary>Lines for hands.pl, with the panel's keys and four encoders plugged in first; what it printed, a line each.</summary>
    internal string[] Hands(params string[] lines) => Play(["keys", "rotary 1", "rotary 2", "rotary 3", "rotary 4", "wait 1500", .. lines]);

    /// <summary>Lines for hands.pl, with nothing plugged in.</summary>
    internal string[] Play(string[] lines, string before = "") =>
        Run($"{before}\nperl {_hands.Value} <<'HANDS'\n{string.Join('\n', lines)}\nHANDS").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Goes to a page by its soft key, from wherever the panel is.</summary>
    internal static string[] Page(int key) => [Press(ShiftRight), Tap(key), Release(ShiftRight)];

    internal static string Tap(int key) => FormattableString.Invariant($"tap {key}");

    internal static string Press(int key) => FormattableString.Invariant($"press {key}");

    internal static string Release(int key) => FormattableString.Invariant($"release {key}");

    /// <summary>Writes the player's settings with lines of their own, and starts the host with them.</summary>
    internal void Configure(string lines)
    {
        var usual = File.ReadAllText(Path.Combine(TargetDisk.Root, "tests/target/data/ssphost/ssp.json"));
        var with = lines.Length == 0 ? usual : usual.Replace("\"state\":", lines + ",\n  \"state\":", StringComparison.Ordinal);
        Run($$"""
            [ -e /data/ssphost/usual.json ] || cp -p $SSP_CONFIG /data/ssphost/usual.json
            echo {{Convert.ToBase64String(Encoding.UTF8.GetBytes(with))}} | base64 -d >$SSP_CONFIG
            systemctl restart ssp
            until_true 150 '[ "$(systemctl is-active ssp)" = active ] && [ "$(ssp status --json | grep -o "\"state\": *\"playing\"" | head -n 1)" ]'
            """);
    }

    /// <summary>The patch as it is now.</summary>
    internal JsonElement Patch() => PatchOf(Play(["""ask {"command":"patch"}"""])[^1]);

    internal static JsonElement PatchOf(string answer)
    {
        using var json = JsonDocument.Parse(answer);
        return json.RootElement.GetProperty("result").GetProperty("patch").Clone();
    }

    /// <summary>A knob of the patch.</summary>
    internal static double Knob(JsonElement patch, string module, string knob) =>
        patch.GetProperty("modules").EnumerateArray().Single(m => m.GetProperty("id").GetString() == module).GetProperty("params").GetProperty(knob).GetDouble();

    /// <summary>What the machine's screen shows.</summary>
    internal Picture Look()
    {
        var file = Path.Combine(Guest.Directory, string.Create(CultureInfo.InvariantCulture, $"screen{DateTime.UtcNow.Ticks}.png"));
        Guest.Monitor.Ask("screendump", new { filename = file, format = "png" });
        return Picture.Load(file);
    }
}
