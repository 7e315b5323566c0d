// The panel's body on a board without our device tree: what the settings name, beside what the kernel's own devices are.
using System.Device.Gpio;
using Alsa.Net;
using SspHost.Board;
using SspHost.Panel.Surface;

namespace SspHost.IotDevices;

/// <summary>Opens what "board.iot" names. Of the control process only: the engine knows nothing of it.</summary>
public static class IotBoard
{
    /// <summary>Sources of control events that are these devices'; the board's other ones begin at <see cref="BoardDevices.FirstSource"/>.</summary>
    public const byte FirstSource = 128;

    /// <summary>Adds to what was found. Never throws where a device cannot be used: that is a note.</summary>
    public static BoardDevices AddTo(BoardDevices found, IotSettings settings)
    {
        var (controls, screens, notes) = (found.Controls.ToList(), found.Screens.ToList(), found.Notes.ToList());
        var source = FirstSource;
        var own = settings.Keys.Where(k => k.Expander.Length == 0).ToArray();
        if (settings.Encoders.Count + own.Length > 0)
        {
            Try("gpio", () =>
            {
                var pins = new BoardPins(new GpioController());
                try
                {
                    controls.Add(new PinControls(pins, settings.Encoders, own, source));
                }
                catch
                {
                    pins.Dispose();
                    throw;
                }
            }, notes);
        }

        foreach (var e in settings.Expanders)
        {
            source++;
            var keys = settings.Keys.Where(k => k.Expander == e.Name).ToArray();
            Try($"expander {e.Name}", () => controls.Add(new PortKeys(Expanders.Open(e), keys, source)), notes);
        }

        if (settings.Display is { } display) Try("display", () => screens.Add(new SmallScreen(Displays.Open(display), display)), notes);
        if (settings.Mixer is { } mixer)
        {
            Try($"mixer {mixer.Device}", () =>
            {
                using var card = AlsaDeviceBuilder.Create(new SoundDeviceSettings { MixerDeviceName = mixer.Device });
                card.PlaybackVolume = mixer.Volume;
            }, notes);
        }

        return new BoardDevices(controls, screens, notes);
    }

    private static void Try(string what, Action open, List<string> notes)
    {
        try
        {
            open();
        }
        catch (Exception e) when (e is not OutOfMemoryException) // the packages throw what they like
        {
            notes.Add($"iot {what}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }
}
