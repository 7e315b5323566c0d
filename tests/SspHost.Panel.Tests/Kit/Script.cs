// Walk-throughs as text: what a player does, line by line, and what is expected to come of it.
using System.Globalization;
using SspHost.Panel.Surface;
using SspHost.Patching;

namespace SspHost.Panel.Tests.Kit;

/// <summary>
/// Plays a script to a panel. A line is one of
/// <code>
/// turn E1 right 3 [fast]            detents, 200 ms apart, or 10 ms where fast
/// press K2 | push E1 | press left   down and up
/// press shift-left + K2             with another one held
/// hold K2 | hold E1                 down for 700 ms
/// down shift-left | up shift-left
/// type cutoff
/// wait 500                          ms
/// expect page patch                 expect says "some words of the message"
/// expect module svf1 [svf]          expect no module svf1
/// expect cable vco1.saw -> svf1.in  expect no cable vco1.saw -> svf1.in
/// expect param svf1.cutoff 1000 [within 1]
/// expect bypass svf1 | expect no bypass svf1
/// expect key 1 Add                  what is written over a soft key
/// expect selected svf1
/// golden name                       the picture
/// </code>
/// Empty lines, and what follows a '#', are for the reader.
/// </summary>
internal sealed class Script(FrontPanel panel, TestHost host)
{
    private const ulong Ms = 1_000_000;

    public static void Play(FrontPanel panel, TestHost host, string text)
    {
        var script = new Script(panel, host);
        script.Pass(20); // the panel has seen what there is
        var number = 0;
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = raw.Split('#')[0].Trim();
            if (line.Length == 0) continue;
            try
            {
                script.Line(line);
            }
            catch (Exception e)
            {
                throw new InvalidOperationException($"line {number}, '{line}': {e.Message}", e);
            }
        }
    }

    private void Line(string line)
    {
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        switch (words[0])
        {
            case "turn":
                Turn(Parse(words[1]), words[2] == "right" ? 1 : words[2] == "left" ? -1 : throw new FormatException("right or left"),
                    words.Length > 3 ? int.Parse(words[3], CultureInfo.InvariantCulture) : 1, words.Contains("fast"));
                break;
            case "press" or "push":
                Press([.. line[words[0].Length..].Split('+', StringSplitOptions.TrimEntries).Select(Parse)], 50);
                break;
            case "hold":
                Press([.. line[words[0].Length..].Split('+', StringSplitOptions.TrimEntries).Select(Parse)], 700);
                break;
            case "down":
                Put(Parse(words[1]), ControlAction.Press);
                break;
            case "up":
                Put(Parse(words[1]), ControlAction.Release);
                break;
            case "type":
                foreach (var c in line[5..]) Put(default, ControlAction.Type, c);
                break;
            case "wait":
                Pass(ulong.Parse(words[1], CultureInfo.InvariantCulture));
                break;
            case "golden":
                Golden.Holds(panel, words[1]);
                break;
            case "expect":
                Expect(line[7..], words[1..]);
                break;
            default:
                throw new FormatException($"no such word '{words[0]}'");
        }
    }

    private void Expect(string line, string[] words)
    {
        var no = words[0] == "no";
        if (no) words = words[1..];
        var patch = host.Session.Current;
        switch (words[0])
        {
            case "page":
                Assert.Equal(words[1], panel.Current.Id);
                break;
            case "says":
                Assert.Contains(line[(line.IndexOf('"', StringComparison.Ordinal) + 1)..].TrimEnd('"'), panel.Message?.Text ?? "", StringComparison.Ordinal);
                break;
            case "module":
                var module = patch.Find(words[1]);
                if (no) Assert.Null(module);
                else Assert.NotNull(module);
                if (words.Length > 2) Assert.Equal(words[2], module!.Type);
                break;
            case "cable":
                Assert.True(PortRef.TryParse(words[1], out var from) && PortRef.TryParse(words[3], out var to));
                _ = PortRef.TryParse(words[3], out to);
                Assert.Equal(!no, patch.IndexOf(from, to) >= 0);
                break;
            case "param":
                Assert.True(PortRef.TryParse(words[1], out var at));
                var type = host.Modules.Find(patch.Find(at.Module)!.Type)!;
                var value = patch.Find(at.Module)!.Parameters.TryGet(at.Port, out var v) ? v : type.Descriptor.Parameters[type.Parameter(at.Port)].Default;
                var within = words.Length > 4 ? double.Parse(words[4], CultureInfo.InvariantCulture) : 1e-6;
                Assert.InRange(value, double.Parse(words[2], CultureInfo.InvariantCulture) - within, double.Parse(words[2], CultureInfo.InvariantCulture) + within);
                break;
            case "bypass":
                Assert.Equal(!no, patch.Find(words[1])!.Bypass);
                break;
            case "key":
                Assert.Equal(string.Join(' ', words[2..]), panel.Current.Key(int.Parse(words[1], CultureInfo.InvariantCulture) - 1, panel.Shift).Label);
                break;
            case "selected":
                Assert.Equal(words[1], panel.Selection.Module);
                break;
            default:
                throw new FormatException($"nothing known of '{words[0]}'");
        }
    }

    private static Control Parse(string word) => word switch
    {
        "left" => Control.Left,
        "right" => Control.Right,
        "up" => Control.Up,
        "down" => Control.Down,
        "shift-left" => Control.ShiftLeft,
        "shift-right" => Control.ShiftRight,
        _ => Enum.TryParse<Control>(word, out var c) ? c : throw new FormatException($"no control '{word}'"),
    };

    private void Turn(Control encoder, int direction, int detents, bool fast)
    {
        for (var i = 0; i < detents; i++)
        {
            Pass(fast ? 10UL : 200);
            Put(encoder, ControlAction.Turn, direction);
        }

        Pass(20);
    }

    private void Press(Control[] controls, ulong ms)
    {
        foreach (var c in controls)
        {
            Put(c, ControlAction.Press);
            Pass(20);
        }

        Pass(ms);
        foreach (var c in controls.Reverse())
        {
            Put(c, ControlAction.Release);
            Pass(20);
        }
    }

    private void Put(Control control, ControlAction action, int value = 0)
    {
        panel.Put(new ControlEvent(control, action, value, host.Now));
        _ = panel.Draw();
    }

    private void Pass(ulong ms)
    {
        for (var passed = 0UL; passed < ms; passed += 20)
        {
            host.Now += Math.Min(20, ms - passed) * Ms;
            _ = panel.Draw();
        }
    }
}
