// ssp.json: default < file < flag, and one clear line for whatever is wrong.
using System.Text;
using System.Text.Json;
using SspHost.Board;
using SspHost.Configuration;
using SspHost.Panel.Surface;

namespace SspHost.Tests;

public class SettingsTests
{
    private const string Good = """
        {
          "$schema": "ssp.schema.json",
          // what the studio has
          "device": "alsa:hw:0", "rate": 96000, "quantum": 64, "period": 48, "periods": 3,
          "cores": [2, 3], "regionMib": 512, "patches": "/p", "state": "/s", "format": "float", "moduleTimes": false,
          "captureDevice": "alsa:hw:1", "inputs": [2, 1], "outputs": [1, 0, 0, 4], "hold": [1, 4], "modules": { "directories": ["/m", "/n"], "watch": true }, "lv2": { "path": "/a:/b" },
          "web": { "address": "0.0.0.0:8441", "token": "twelve-or-more" }, "osc": { "port": 9000, "address": "0.0.0.0" }, "theme": "light",
          "midi": { "devices": "seq, raw:KeyStep.0, /dev/ttyAMA0", "programs": "patches", "channel": 16 },
          "board": {
            "screen": { "device": "/dev/dri/card1", "connector": "HDMI-A-2", "mode": "1600x480@60", "rotation": 270, "terminal": 2 },
            "evdev": { "devices": ["gpio-keys", "/dev/input/event3"], "grab": true, "keyboards": false, "keys": { "30": "K1", "42": "ShiftRight" }, "encoders": [{ "control": "E4", "axis": 7, "counts": -2 }] },
            "gpio": { "chip": "gpiochip3", "encoders": [{ "control": "E1", "a": "4", "b": "17", "steps": 2 }], "keys": [{ "control": "Up", "line": "22" }], "pullUp": false, "keyDebounce": 0 },
            "codec": { "chip": "pcm3168a", "bus": "/dev/i2c-3", "address": 69, "reset": "NRST", "card": "Other", "fullScale": 5.5 },
            "iot": { "encoders": [{ "control": "E1", "a": 17, "b": 18, "steps": 2 }], "keys": [{ "control": "K1", "pin": 15, "expander": "keys" }, { "control": "E1", "pin": 27 }],
              "expanders": [{ "name": "keys", "chip": "pca9555", "address": 33 }], "display": { "chip": "ili9341", "bus": 0, "dataCommand": 25, "reset": 24, "x": 320, "rotation": 270 },
              "mixer": { "device": "hw:1", "volume": -600 } },
          },
        }
        """;

    [Fact]
    public void A_file_overrides_the_defaults_and_says_so()
    {
        var s = Parse(Good);
        Assert.Equal(("alsa:hw:0", Origin.File), (s.Device.Value, s.Device.Origin));
        Assert.Equal((96000, 64, 48, 3, 512), (s.Rate.Value, s.Quantum.Value, s.Period.Value, s.Periods.Value, s.RegionMib.Value));
        Assert.Equal([2, 3], s.Cores.Value.ToArray());
        Assert.Equal((false, Origin.File, true), (s.ModuleTimes.Value, s.ModuleTimes.Origin, new Settings().ModuleTimes.Value));
        var partly = Parse("""{"rate": 44100}""");
        Assert.Equal((44100, Origin.File, 0, Origin.Default), (partly.Rate.Value, partly.Rate.Origin, partly.Quantum.Value, partly.Quantum.Origin));
        Assert.Equal((48000, Origin.Flag), (partly.Rate.Or(48000, given: true).Value, partly.Rate.Or(48000, given: true).Origin));
        Assert.Equal(partly.Rate, partly.Rate.Or(1, given: false));
    }

    [Theory]
    [InlineData("{\n  \"quantom\": 32\n}", "ssp.json, line 2: expected one of device, rate, quantum")]
    [InlineData("{\"rate\": 8000}", "line 1: expected \"rate\" 44100 to 192000 Hz, not 8000")]
    [InlineData("{\"rate\": \"fast\"}", "expected \"rate\" as a whole number")]
    [InlineData("{\"rate\": 48000.5}", "expected \"rate\" as a whole number")]
    [InlineData("{\"quantum\": 48}", "expected \"quantum\" a power of two from 16 to 256, not 48")]
    [InlineData("{\"web\": {\"address\": \"8440\"}}", "\"web.address\" an IP address")]
    [InlineData("{\"web\": {\"token\": \"short\"}}", "\"web.token\" 12 to 128")]
    [InlineData("{\"web\": {\"adress\": \"off\"}}", "expected \"web\" as")]
    [InlineData("{\"osc\": {\"port\": 70000}}", "\"osc.port\" a port")]
    [InlineData("{\"osc\": {\"address\": \"somewhere\"}}", "\"osc.address\" an IP address")]
    [InlineData("{\"theme\": \"mauve\"}", "expected \"theme\" dark or light, not \"mauve\"")]
    [InlineData("{\"midi\": {\"devices\": \"keyboard\"}}", "\"midi.devices\" auto, off, or a list")]
    [InlineData("{\"midi\": {\"programs\": \"songs\"}}", "\"midi.programs\" scenes, patches or off")]
    [InlineData("{\"midi\": {\"channel\": 17}}", "\"midi.channel\" a channel from 1 to 16")]
    [InlineData("{\"midi\": {\"port\": 1}}", "expected \"midi\" as")]
    [InlineData("{\"board\": {\"screen\": {\"mode\": \"wide\"}}}", "\"mode\" as 1600x480 or 1600x480@60")]
    [InlineData("{\"board\": {\n\"screen\": {\"rotation\": 45}}}", "line 2: expected \"rotation\" 0, 90, 180 or 270")]
    [InlineData("{\"board\": {\"panel\": {}}}", "expected in \"board\" one of screen, evdev, gpio, codec, iot, not \"panel\"")]
    [InlineData("{\"board\": {\"iot\": {\"keys\": [{\"control\": \"K1\", \"pin\": 3, \"expander\": \"far\"}]}}}", "an expander named \"far\", which key K1 is on")]
    [InlineData("{\"board\": {\"iot\": {\"expanders\": [{\"name\": \"a\", \"chip\": \"ssd1306\", \"address\": 32}]}}}", "\"chip\" mcp23017 or pca9555")]
    [InlineData("{\"board\": {\"iot\": {\"display\": {\"chip\": \"ili9342\"}}}}", "a display on SPI with \"dataCommand\"")]
    [InlineData("{\"board\": {\"iot\": {\"display\": {\"chip\": \"ssd1306\", \"rows\": 48}}}}", "\"rows\" 32 or 64")]
    [InlineData("{\"board\": {\"iot\": {\"encoders\": [{\"control\": \"E1\", \"a\": 1}]}}}", "with \"control\", \"a\" and \"b\"")]
    [InlineData("{\"board\": {\"gpio\": {\"keys\": [{\"control\": \"K9\", \"line\": \"1\"}]}}}", "a control: one of E1,")]
    [InlineData("{\"board\": {\"gpio\": {\"encoders\": [{\"control\": \"K1\", \"a\": \"1\", \"b\": \"2\"}]}}}", "\"control\" E1 to E4")]
    [InlineData("{\"board\": {\"gpio\": {\"encoders\": [{\"control\": \"E1\", \"a\": \"1\"}]}}}", "with \"control\", \"a\" and \"b\"")]
    [InlineData("{\"board\": {\"evdev\": {\"keys\": {\"768\": \"K1\"}}}}", "a key code from 0 to 767")]
    [InlineData("{\"board\": {\"evdev\": {\"grab\": true, \"grab\": true}}}", "\"grab\" once")]
    [InlineData("{\"board\": {\"codec\": {\"chip\": \"ak4458\"}}}", "\"chip\" as one of pcm3168a")]
    [InlineData("{\"board\": {\"codec\": {\"address\": 128}}}", "\"address\" from 3 to 119")]
    [InlineData("{\"board\": {\"codec\": {\"bus\": \"i2c-8\"}}}", "\"bus\" a path such as /dev/i2c-8")]
    [InlineData("{\"board\": {\"codec\": {\"fullScale\": 0.1}}}", "\"fullScale\" from 0.5 to 100 V")]
    [InlineData("{\"board\": {\"codec\": {\"pins\": 1}}}", "expected in \"board.codec\" one of chip, bus, address, reset, card, fullScale")]
    [InlineData("{\"cores\": [1,\n1]}", "line 2: expected \"cores\" with at most 16 different cores")]
    [InlineData("{\"lv2\": \"/usr/lib/lv2\"}", "expected \"lv2\" as { \"path\": directories with colons between them }")]
    [InlineData("{\"lv2\": {\"path\": \"/usr/lib/lv2:relative\"}}", "expected \"lv2\" as { \"path\": directories with colons between them }")]
    [InlineData("{\"modules\": []}", "expected \"modules\" as { \"directories\": [ absolute paths ], \"watch\": true or false }")]
    [InlineData("{\"modules\": {\"directories\": [\"relative\"]}}", "expected \"modules\" as { \"directories\": [ absolute paths ], \"watch\": true or false }")]
    [InlineData("{\"modules\": {\"paths\": []}}", "expected \"modules\" as { \"directories\": [ absolute paths ], \"watch\": true or false }")]
    [InlineData("{\"modules\": {\"watch\": 1}}", "expected \"modules\" as { \"directories\": [ absolute paths ], \"watch\": true or false }")]
    [InlineData("{\"modules\": {\"watch\": true, \"watch\": true}}", "expected \"modules\" as { \"directories\": [ absolute paths ], \"watch\": true or false }")]
    [InlineData("{\"moduleTimes\": 1}", "expected \"moduleTimes\" as true or false")]
    [InlineData("{\"cores\": 1}", "expected \"cores\" as a list")]
    [InlineData("{\"device\": \"oss\"}", "expected \"device\" sim, alsa:NAME, wav:IN,OUT or auto, not \"oss\"")]
    [InlineData("{\"rate\": 48000, \"rate\": 48000}", "\"rate\" once, this is the second")]
    [InlineData("[]", "expected a JSON object")]
    [InlineData("{\"rate\": 48000} x", "not JSON")]
    [InlineData("", "not JSON")]
    public void What_is_wrong_is_one_line_with_its_place(string json, string expected)
    {
        var message = Assert.Throws<ConfigurationException>(() => Parse(json)).Message;
        Assert.Contains(expected, message, StringComparison.Ordinal);
        Assert.StartsWith("ssp.json", message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void What_a_board_says_lies_over_what_is_found_by_itself()
    {
        var board = Parse(Good).Board.Value;
        Assert.Equal(("/dev/dri/card1", "HDMI-A-2", "1600x480@60", 270, 2), (board.Screen.Device, board.Screen.Connector, board.Screen.Mode, board.Screen.Rotation, board.Screen.Terminal));
        Assert.Equal(["gpio-keys", "/dev/input/event3"], board.Evdev.Devices);
        Assert.Equal((true, false), (board.Evdev.Grab, board.Evdev.Keyboards));
        Assert.Equal((Control.K1, Control.ShiftRight, Control.K2), (board.Evdev.Keys[30], board.Evdev.Keys[42], board.Evdev.Keys[60]));
        Assert.Equal([new EncoderAxis("", 7, Control.E4, -2)], board.Evdev.Encoders);
        Assert.Equal([new GpioEncoder(Control.E1, "4", "17", 2)], board.Gpio.Encoders);
        Assert.Equal([new GpioKey(Control.Up, "22")], board.Gpio.Keys);
        Assert.Equal((false, true, 0), (board.Gpio.PullUp, board.Gpio.ActiveLow, board.Gpio.KeyDebounce));
        Assert.Equal(new CodecSettings { Chip = "pcm3168a", Bus = "/dev/i2c-3", Address = 69, Reset = "NRST", Card = "Other", FullScale = 5.5 }, board.Codec);
    }

    [Fact]
    public void Truncated_and_damaged_files_are_read_or_refused_and_nothing_else()
    {
        var bytes = Encoding.UTF8.GetBytes(Good.TrimEnd());
        for (var n = 0; n < bytes.Length; n++) Assert.Throws<ConfigurationException>(() => SettingsFile.Parse(bytes.AsSpan(0, n), "ssp.json"));
        var random = new Random(2);
        for (var i = 0; i < 5000; i++)
        {
            var damaged = bytes.ToArray();
            for (var k = random.Next(1, 4); k > 0; k--) damaged[random.Next(damaged.Length)] = (byte)random.Next(256);
            try
            {
                _ = SettingsFile.Parse(damaged, "ssp.json");
            }
            catch (ConfigurationException)
            {
                // Refused with a line.
            }
        }
    }

    [Fact]
    public void What_is_written_reads_back_and_every_key_stands_in_the_schema()
    {
        var s = Parse(Good);
        var again = Parse(SettingsFile.Write(s));
        Assert.Equal(SettingsFile.Describe(s), SettingsFile.Describe(again));
        using var written = JsonDocument.Parse(SettingsFile.Write(new Settings()));
        using var schema = JsonDocument.Parse(SettingsFile.Schema);
        var properties = schema.RootElement.GetProperty("properties");
        foreach (var key in written.RootElement.EnumerateObject())
        {
            Assert.True(properties.TryGetProperty(key.Name, out var property), $"{key.Name} is not in the schema");
            Assert.Equal(key.Value.GetRawText().Replace(" ", "", StringComparison.Ordinal).ReplaceLineEndings(""), property.GetProperty("default").GetRawText());
        }
    }

    [Theory]
    [InlineData("2,3", new[] { 2, 3 })]
    [InlineData("5-7, 1", new[] { 5, 6, 7, 1 })]
    [InlineData("", null)]
    [InlineData("1,1", null)]
    [InlineData("3-1", null)]
    [InlineData("1-", null)]
    [InlineData("0-16", null)]
    [InlineData("-1", null)]
    public void Lists_of_cores_are_read_or_refused(string text, int[]? expected) => Assert.Equal(expected, Settings.ParseCores(text)?.ToArray());

    private static Settings Parse(string json) => SettingsFile.Parse(Encoding.UTF8.GetBytes(json), "ssp.json");
}
