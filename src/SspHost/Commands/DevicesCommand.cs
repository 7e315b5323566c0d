// ssp devices: where it can play, and what each device can do.
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using SspHost.Configuration;
using SspHost.Devices;
using SspHost.Playing;

namespace SspHost.Commands;

/// <summary>What `ssp devices --json` prints. Probes: what the devices that were asked can do. Midi: what "midi.devices" may name.</summary>
internal sealed record DeviceReport(
    int Version, string Default, IReadOnlyList<string> Cards, IReadOnlyList<SoundDevice> Devices, IReadOnlyList<ProbeReport> Probes, IReadOnlyList<string> Midi);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DeviceReport))]
internal sealed partial class DeviceJson : JsonSerializerContext;

internal static class DevicesCommand
{
    public static Command Build()
    {
        var device = new Argument<string?>("device") { Description = "Only this one, alsa:NAME, and what it can do.", Arity = ArgumentArity.ZeroOrOne };
        device.Validators.Add(r =>
        {
            var word = r.Tokens.Count > 0 ? r.Tokens[0].Value : "";
            if (word.Length > 0 && !(word.StartsWith("alsa:", StringComparison.Ordinal) && Settings.CheckDevice(word) == null)) r.AddError($"device: expected alsa:NAME, not '{Patching.PatchError.OneLine(word)}'");
        });
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var command = new Command("devices", "List the audio devices and what they can do.") { device, json };
        command.SetAction(r => r.GetValue(device) is { Length: > 0 } one ? ShowOne(one[5..], r.GetValue(json)) : Show(r.GetValue(json)));
        return command;
    }

    private static int ShowOne(string name, bool json)
    {
        var probe = DeviceProbe.Ask(name);
        if (json) Write(new DeviceReport(1, Default(SoundCards.Present), SoundCards.Names(), [], [probe], MidiDevices.Present()));
        else Print(probe);
        return probe.Output == null && probe.Input == null ? 1 : 0;
    }

    private static int Show(bool json)
    {
        var (cards, devices, present) = (SoundCards.Names(), SoundCards.Devices(), SoundCards.Present);

        // Only converters themselves are asked: opening a mixer or a server (default, dmix, pulse) would start it.
        var probes = present ? devices.Where(d => d.Name.StartsWith("hw:", StringComparison.Ordinal)).Select(d => DeviceProbe.Ask(d.Name)).ToArray() : [];
        if (json)
        {
            Write(new DeviceReport(1, Default(present), cards, devices, probes, MidiDevices.Present()));
            return 0;
        }

        if (cards.Count == 0) Console.WriteLine("no sound card; the default is sim");
        else if (!present) Console.WriteLine("there is a sound card, but libasound.so.2 is not installed (apt install libasound2); the default is sim");
        foreach (var card in cards) Console.WriteLine("card " + card);
        foreach (var d in devices)
        {
            Console.WriteLine($"alsa:{d.Name,-36} {d.Direction,-7} {d.Text}");
            if (Array.Find(probes, p => p.Name == d.Name) is { } probe)
                foreach (var line in DeviceProbe.Describe(probe)) Console.WriteLine("       " + line);
        }

        Console.WriteLine("sim                                       a simulated card that follows the clock");
        foreach (var midi in MidiDevices.Present()) Console.WriteLine($"{midi,-41} MIDI");
        Console.WriteLine("wav:IN,OUT                                a recording in, a recording out, in real time (full scale is 10 V)");
        return 0;
    }

    private static string Default(bool present) => present ? "alsa:default" : "sim";

    private static void Write(DeviceReport report) => Console.WriteLine(JsonSerializer.Serialize(report, DeviceJson.Default.DeviceReport));

    private static void Print(ProbeReport probe)
    {
        Console.WriteLine("alsa:" + probe.Name);
        foreach (var line in DeviceProbe.Describe(probe)) Console.WriteLine("  " + line);
    }
}
