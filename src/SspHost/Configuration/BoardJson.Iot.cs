// The key "board.iot": pins, expanders, display and mixer of a board without our device tree.
using System.Text.Json;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.Configuration;

internal static partial class BoardJson
{
    private const int LastPin = 511, LastPortPin = 15, FirstAddress = 0x03, LastAddress = 0x77, LastBus = 255;

    private static IotSettings Iot(ref Utf8JsonReader r)
    {
        var s = new IotSettings();
        Object(ref r, "\"board.iot\" as an object", (string name, ref Utf8JsonReader r) => s = name switch
        {
            "encoders" => s with { Encoders = List(ref r, name, PinEncoder) },
            "keys" => s with { Keys = List(ref r, name, PinKey) },
            "expanders" => s with { Expanders = List(ref r, name, Expander) },
            "display" => s with { Display = Display(ref r) },
            "mixer" => s with { Mixer = Mixer(ref r) },
            _ => throw Unknown("board.iot", name, "encoders, keys, expanders, display, mixer"),
        });
        foreach (var key in s.Keys.Where(k => k.Expander.Length > 0))
        {
            if (s.Expanders.All(e => e.Name != key.Expander)) throw new BoardFault($"in \"board.iot\" an expander named \"{Patching.PatchError.OneLine(key.Expander, 40)}\", which key {key.Control} is on");
            if (key.Pin > LastPortPin) throw new BoardFault($"\"pin\" from 0 to {LastPortPin} on an expander, which key {key.Control} is on");
        }

        if (s.Expanders.GroupBy(e => e.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw new BoardFault($"one expander named \"{Patching.PatchError.OneLine(twice.Key, 40)}\", there are {twice.Count()}");
        return s;
    }

    private static IotEncoder PinEncoder(ref Utf8JsonReader r)
    {
        var (a, b, steps, control) = ((int?)null, (int?)null, 4, (Control?)null);
        Object(ref r, "an encoder as { \"control\": \"E1\", \"a\": 17, \"b\": 18 }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "a": a = Number(ref r, name, 0, LastPin); break;
                case "b": b = Number(ref r, name, 0, LastPin); break;
                case "steps": steps = Number(ref r, name, 1, 4) is not 3 and var n ? n : throw new BoardFault("\"steps\" 1, 2 or 4"); break;
                case "control": control = AsControl(ref r, encodersOnly: true); break;
                default: throw Unknown("an encoder", name, "control, a, b, steps");
            }
        });
        return (control, a, b) is ({ } c, { } pinA, { } pinB) ? new IotEncoder(c, pinA, pinB, steps) : throw new BoardFault("an encoder with \"control\", \"a\" and \"b\"");
    }

    private static IotKey PinKey(ref Utf8JsonReader r)
    {
        var (pin, expander, control) = ((int?)null, "", (Control?)null);
        Object(ref r, "a key as { \"control\": \"K1\", \"pin\": 5 }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "pin": pin = Number(ref r, name, 0, LastPin); break;
                case "expander": expander = Text(ref r, name); break;
                case "control": control = AsControl(ref r, encodersOnly: false); break;
                default: throw Unknown("a key", name, "control, pin, expander");
            }
        });
        return (control, pin) is ({ } c, { } p) ? new IotKey(c, p, expander) : throw new BoardFault("a key with \"control\" and \"pin\"");
    }

    private static IotExpander Expander(ref Utf8JsonReader r)
    {
        var (called, chip, bus, address) = ("", (IotChip?)null, 1, (int?)null);
        Object(ref r, "an expander as { \"name\": \"keys\", \"chip\": \"mcp23017\", \"address\": 32 }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "name": called = Text(ref r, name); break;
                case "chip": chip = Chip(ref r, IotChip.Mcp23017, IotChip.Pca9555); break;
                case "bus": bus = Number(ref r, name, 0, LastBus); break;
                case "address": address = Number(ref r, name, FirstAddress, LastAddress); break;
                default: throw Unknown("an expander", name, "name, chip, bus, address");
            }
        });
        return (chip, address) is ({ } c, { } a) && called.Length > 0
            ? new IotExpander(called, c, bus, a)
            : throw new BoardFault("an expander with \"name\", \"chip\" and \"address\"");
    }

    private static IotDisplay Display(ref Utf8JsonReader r)
    {
        var (d, chip) = (new IotDisplay(), (IotChip?)null);
        Object(ref r, "\"display\" as { \"chip\": \"ssd1306\" }", (string name, ref Utf8JsonReader r) => d = name switch
        {
            "chip" => d with { Chip = (chip = Chip(ref r, IotChip.Ssd1306, IotChip.Ili9341, IotChip.Ili9342)).Value },
            "bus" => d with { Bus = Number(ref r, name, 0, LastBus) },
            "address" => d with { Address = Number(ref r, name, FirstAddress, LastAddress) },
            "chipSelect" => d with { ChipSelect = Number(ref r, name, 0, LastBus) },
            "dataCommand" => d with { DataCommand = Number(ref r, name, 0, LastPin) },
            "reset" => d with { Reset = Number(ref r, name, -1, LastPin) },
            "rows" => d with { Rows = Number(ref r, name, 32, 64) is (32 or 64) and var n ? n : throw new BoardFault("\"rows\" 32 or 64") },
            "whole" => d with { Whole = Flag(ref r, name) },
            "x" => d with { X = Number(ref r, name, 0, PanelSize.Width - 1) },
            "rotation" => d with { Rotation = Rotation(ref r) },
            _ => throw Unknown("display", name, "chip, bus, address, chipSelect, dataCommand, reset, rows, whole, x, rotation"),
        });
        if (chip is null) throw new BoardFault("a display with \"chip\"");
        return chip == IotChip.Ssd1306 || d.DataCommand >= 0 ? d : throw new BoardFault("a display on SPI with \"dataCommand\", the pin of that name");
    }

    private static IotMixer Mixer(ref Utf8JsonReader r)
    {
        const int Loudest = 100_000; // the widest of a card's units is a hundredth of a decibel
        var (device, volume) = ("default", (int?)null);
        Object(ref r, "\"mixer\" as { \"device\": \"hw:0\", \"volume\": 200 }", (string name, ref Utf8JsonReader r) =>
        {
            switch (name)
            {
                case "device": device = Text(ref r, name, static t => t.Length > 0, "as a card"); break;
                case "volume": volume = Number(ref r, name, -Loudest, Loudest); break;
                default: throw Unknown("mixer", name, "device, volume");
            }
        });
        return volume is { } v ? new IotMixer(device, v) : throw new BoardFault("a mixer with \"volume\"");
    }

    private static IotChip Chip(ref Utf8JsonReader r, params ReadOnlySpan<IotChip> known)
    {
        var text = r.TokenType == JsonTokenType.String ? r.GetString()! : "";
        foreach (var chip in known)
        {
            if (Word(chip) == text) return chip;
        }

        var words = new List<string>();
        foreach (var chip in known) words.Add(Word(chip));
        throw new BoardFault($"\"chip\" {string.Join(" or ", words)}");
    }

    private static string Word(IotChip chip) => chip switch
    {
        IotChip.Mcp23017 => "mcp23017",
        IotChip.Pca9555 => "pca9555",
        IotChip.Ssd1306 => "ssd1306",
        IotChip.Ili9341 => "ili9341",
        _ => "ili9342",
    };

    private static void WriteIot(Utf8JsonWriter w, IotSettings s)
    {
        w.WriteStartObject("iot");
        w.WriteStartArray("encoders");
        foreach (var e in s.Encoders)
        {
            w.WriteStartObject();
            w.WriteString("control", e.Control.ToString());
            w.WriteNumber("a", e.A);
            w.WriteNumber("b", e.B);
            w.WriteNumber("steps", e.StepsPerDetent);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteStartArray("keys");
        foreach (var k in s.Keys)
        {
            w.WriteStartObject();
            w.WriteString("control", k.Control.ToString());
            w.WriteNumber("pin", k.Pin);
            if (k.Expander.Length > 0) w.WriteString("expander", k.Expander);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        w.WriteStartArray("expanders");
        foreach (var e in s.Expanders)
        {
            w.WriteStartObject();
            w.WriteString("name", e.Name);
            w.WriteString("chip", Word(e.Chip));
            w.WriteNumber("bus", e.Bus);
            w.WriteNumber("address", e.Address);
            w.WriteEndObject();
        }

        w.WriteEndArray();
        if (s.Display is { } d)
        {
            w.WriteStartObject("display");
            w.WriteString("chip", Word(d.Chip));
            w.WriteNumber("bus", d.Bus);
            if (d.Chip == IotChip.Ssd1306)
            {
                w.WriteNumber("address", d.Address);
                w.WriteNumber("rows", d.Rows);
            }
            else
            {
                w.WriteNumber("chipSelect", d.ChipSelect);
                w.WriteNumber("dataCommand", d.DataCommand);
                w.WriteNumber("reset", d.Reset);
            }

            w.WriteBoolean("whole", d.Whole);
            w.WriteNumber("x", d.X);
            if (d.Rotation is { } rotation) w.WriteNumber("rotation", rotation);
            w.WriteEndObject();
        }

        if (s.Mixer is { } m)
        {
            w.WriteStartObject("mixer");
            w.WriteString("device", m.Device);
            w.WriteNumber("volume", m.Volume);
            w.WriteEndObject();
        }

        w.WriteEndObject();
    }
}
