// The panel's body on this machine: what the settings name, else what is found, and why the rest is not used.
using SspHost.Panel.Surface;

namespace SspHost.Board;

/// <summary>Controls and screens to start a panel with, which then owns them; notes are lines for the log and the System page.</summary>
public sealed record BoardDevices(IReadOnlyList<IControls> Controls, IReadOnlyList<IScreen> Screens, IReadOnlyList<string> Notes)
{
    /// <summary>Sources of control events that are the board's: from here up to 255. Other bodies take lower ones.</summary>
    public const byte FirstSource = 192;

    /// <summary>Looks for what there is. Never throws where a device cannot be used: that is a note.</summary>
    public static BoardDevices Find(BoardSettings settings) => Find(SystemCalls.Real, settings);

    internal static BoardDevices Find(SystemCalls system, BoardSettings settings)
    {
        var notes = new List<string>();
        var screens = new List<IScreen>();
        if (settings.Screen.Enabled && Screen(system, settings.Screen, notes) is { } screen) screens.Add(screen);
        var controls = new List<IControls>();
        if (settings.Gpio.Enabled && GpioControls.Find(system, settings.Gpio, FirstSource, notes) is { } lines) controls.Add(lines);
        if (settings.Evdev.Enabled)
        {
            var keys = new EvdevControls(
                system, settings.Evdev, settings.Evdev.Keyboards ?? screens.Exists(s => s.Ready), FirstSource + 1, byte.MaxValue - FirstSource);
            controls.Add(keys); // with no device, too: one may be plugged in
            notes.AddRange(keys.Refused.Select(r => "evdev " + r));
            if (!keys.Any) notes.Add($"evdev: no device in {settings.Evdev.Folder} has keys or encoders of a panel");
        }

        return new BoardDevices(controls, screens, notes);
    }

    private static IScreen? Screen(SystemCalls system, ScreenSettings settings, List<string> notes)
    {
        if (settings.Rotation is { } r && r % 90 != 0) notes.Add($"screen: a rotation is 0, 90, 180 or 270 degrees, not {r}: {r / 90 * 90} is taken");
        if (settings.Mode.Length > 0 && !DrmOutput.Parse(settings.Mode, out _, out _, out _))
        {
            notes.Add($"screen: a mode is written as 1600x480 or 1600x480@60, not {settings.Mode}");
            return null;
        }

        if (settings.Device.Length > 0)
        {
            return Path.GetFileName(settings.Device).StartsWith("fb", StringComparison.Ordinal)
                ? Noted(FrameBufferScreen.Open(system, settings, settings.Device, out var no), no, notes)
                : Noted(DrmScreen.Open(system, settings, settings.Device, mayWait: true, out no), no, notes);
        }

        var cards = Nodes(settings.DrmFolder, "card*");
        if (cards.Count == 0) notes.Add($"drm: no card in {settings.DrmFolder}");
        foreach (var card in cards)
        {
            if (Noted(DrmScreen.Open(system, settings, card, mayWait: false, out var why), why, notes) is { } found) return found;
        }

        var buffers = Nodes(settings.FrameBufferFolder, "fb?");
        if (buffers.Count == 0) notes.Add($"fbdev: no frame buffer in {settings.FrameBufferFolder}");
        foreach (var buffer in buffers)
        {
            if (Noted(FrameBufferScreen.Open(system, settings, buffer, out var why), why, notes) is { } found) return found;
        }

        // Nothing shows anything now: the first card that only lacks a display waits for one.
        foreach (var card in cards)
        {
            if (DrmScreen.Open(system, settings, card, mayWait: true, out _) is { } waiting) return waiting;
        }

        return null;
    }

    private static IScreen? Noted(IScreen? screen, string why, List<string> notes)
    {
        if (why.Length > 0) notes.Add(why);
        return screen;
    }

    private static List<string> Nodes(string folder, string pattern) =>
        !Directory.Exists(folder) ? [] : [.. Directory.GetFileSystemEntries(folder, pattern).OrderBy(p => p.Length).ThenBy(p => p, StringComparer.Ordinal)];
}
