// ssp devices: where it can play.
using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using SspHost.Devices;

namespace SspHost.Commands;

/// <summary>What `ssp devices --json` prints.</summary>
internal sealed record DeviceReport(int Version, string Default, IReadOnlyList<string> Cards, IReadOnlyList<SoundDevice> Devices);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(DeviceReport))]
internal sealed partial class DeviceJson : JsonSerializerContext;

internal static class DevicesCommand
{
    public static Command Build()
    {
        var json = new Option<bool>("--json") { Description = "As one JSON object." };
        var command = new Command("devices", "List the audio devices.") { json };
        command.SetAction(r => Show(r.GetValue(json)));
        return command;
    }

    private static int Show(bool json)
    {
        var (cards, devices, present) = (SoundCards.Names(), SoundCards.Devices(), SoundCards.Present);
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new DeviceReport(1, present ? "alsa:default" : "sim", cards, devices), DeviceJson.Default.DeviceReport));
            return 0;
        }

        if (cards.Count == 0) Console.WriteLine("no sound card; the default is sim");
        else if (!present) Console.WriteLine("there is a sound card, but libasound.so.2 is not installed (apt install libasound2); the default is sim");
        foreach (var card in cards) Console.WriteLine("card " + card);
        foreach (var d in devices) Console.WriteLine($"alsa:{d.Name,-36} {d.Direction,-7} {d.Text}");
        Console.WriteLine("sim                                       a simulated card that follows the clock");
        Console.WriteLine("wav:IN,OUT                                a recording in, a recording out, in real time (full scale is 10 V)");
        return 0;
    }
}
