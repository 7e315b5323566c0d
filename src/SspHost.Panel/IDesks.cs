// What the pages Jacks, Files, System and Settings need of the host: a small interface each, so that a host may be without one.
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Panel;

/// <summary>A jack as it is set up: <c>volts = Zero + FullScale * sample</c>, where a sample of 1 is the converter's full scale.</summary>
/// <param name="Name">What the player calls it; empty: nothing.</param>
/// <param name="FullScale">Volts between samples 0 and 1; negative where the converter inverts.</param>
/// <param name="Zero">Volts at sample 0.</param>
/// <param name="Calibrated">Whether it was measured or set by hand; else the line is the nominal one.</param>
public readonly record struct JackSetup(string Name, double FullScale, double Zero, bool Calibrated);

/// <summary>The jacks of the sound card. A text that comes back says why not.</summary>
public interface IJackDesk
{
    /// <summary>Rises with every change of what follows.</summary>
    int Version { get; }

    /// <summary>Jacks there are.</summary>
    int Inputs { get; }

    /// <inheritdoc cref="Inputs"/>
    int Outputs { get; }

    /// <summary>How a jack is set up; <paramref name="number"/> from 0.</summary>
    JackSetup Setup(bool output, int number);

    /// <summary>Sets a jack up, at once and for good. One that is not calibrated gets the nominal line, whatever its figures are.</summary>
    string? Set(bool output, int number, JackSetup setup);

    /// <summary>
    /// Puts a steady sample of -1 to 1 on an output in place of what the patch plays there, for two seconds: who wants it longer says it again; null: the
    /// patch again.
    /// </summary>
    string? Hold(int output, double? sample);

    /// <summary>
    /// Mean sample of an input over a tenth of a second just now, without any calibration; NaN where nothing plays, and where nobody has asked within
    /// the last seconds: then it is there a moment later.
    /// </summary>
    double Raw(int input);
}

/// <summary>Where files are, and recording. Listing, copying and deleting is the panel's own work.</summary>
public interface IFileDesk
{
    /// <summary>Folder of patches; it exists, or can be made.</summary>
    string Patches { get; }

    /// <summary>Folder of the patches that ship; nothing is written there. Null: none, or they are among <see cref="Patches"/>.</summary>
    string? Demos => null;

    /// <summary>Folder of module presets, one folder a type.</summary>
    string Presets { get; }

    /// <summary>Folder of recordings.</summary>
    string Recordings { get; }

    /// <summary>Folder for what was deleted on the device itself.</summary>
    string Trash { get; }

    /// <summary>The mount table; /proc/self/mountinfo but in tests.</summary>
    string MountTable => "/proc/self/mountinfo";

    /// <summary>The edits that set a module of the patch to a preset file; null: <paramref name="why"/> not.</summary>
    IReadOnlyList<Edit>? Preset(string module, string path, out string why);

    /// <summary>Begins to record all outputs into a new file. Off the panel's thread.</summary>
    string? Record(string path);

    /// <summary>Ends the recording: then the file is whole. Off the panel's thread.</summary>
    string? EndRecording();
}

/// <summary>A core over the last second.</summary>
/// <param name="Busy">0..1.</param>
/// <param name="RealTime">Whether audio has it.</param>
public readonly record struct CoreLoad(int Core, float Busy, bool RealTime);

/// <summary>What the System page shows besides the status report. Reading allocates nothing.</summary>
public interface ISystemDesk
{
    /// <summary>Rises once a second, with what follows.</summary>
    int Version { get; }

    /// <summary>99 % of the quanta of a second stayed below this load, a second each, the oldest first; at most ten minutes.</summary>
    ReadOnlySpan<float> History { get; }

    /// <summary>Quanta by load since the last reset: bucket i counts loads from i / 20 on, the last one everything above.</summary>
    ReadOnlySpan<ulong> Histogram { get; }

    ReadOnlySpan<CoreLoad> Cores { get; }

    /// <summary>Degrees Celsius of the hottest sensor; NaN: there is none.</summary>
    float Temperature { get; }

    /// <summary>Dropouts and late quanta up to the last reset: what <see cref="ILive"/> counts beyond these came after it.</summary>
    ulong DropoutsBefore => 0;

    /// <inheritdoc cref="DropoutsBefore"/>
    ulong LateBefore => 0;

    /// <summary>What the doctor found when the host began, or last on <see cref="Examine"/>, the worst first.</summary>
    IReadOnlyList<Finding> Findings { get; }

    /// <summary>Whether a trace is being taken.</summary>
    bool Tracing { get; }

    /// <summary>Forgets histogram, dropouts and late quanta.</summary>
    string? Reset();

    /// <summary>Examines the system again. Off the panel's thread.</summary>
    string? Examine();

    /// <summary>Writes a report; its path, or why not. Off the panel's thread.</summary>
    (string? Path, string? Why) WriteReport();

    /// <summary>Begins a trace; ends it and writes the file, whose path comes back. Off the panel's thread.</summary>
    (string? Path, string? Why) Trace(bool on);
}

/// <summary>What can be changed on the Settings page. 0 or an empty text: the host decides.</summary>
/// <param name="Device">"alsa:NAME", "sim" or "auto".</param>
/// <param name="Rate">Hz.</param>
/// <param name="Quantum">Frames of a block.</param>
/// <param name="Period">Frames of a device period.</param>
/// <param name="Periods">Periods of the device buffer.</param>
/// <param name="Cores">Cores that audio has, the audio thread's first, with commas: "2,3".</param>
/// <param name="Network">Whether the panel is served on the network, too.</param>
/// <param name="Theme">Name of a theme.</param>
public sealed record HostSettings(string Device, int Rate, int Quantum, int Period, int Periods, string Cores, bool Network, string Theme);

/// <summary>
/// Settings of the host. A text that comes back says why not. What is tried goes back by itself, whatever becomes of the panel, unless it is kept
/// within <see cref="TrialLength"/>.
/// </summary>
public interface ISettingsDesk
{
    /// <summary>Seconds that something is tried.</summary>
    const int TrialLength = 15;

    /// <summary>As they are kept: what the host starts with.</summary>
    HostSettings Kept { get; }

    /// <summary>What is being tried; null: nothing.</summary>
    HostSettings? Trial { get; }

    /// <summary>Seconds until what is being tried goes back by itself, begun ones included; 0: nothing is being tried.</summary>
    int TrialSeconds { get; }

    /// <summary>Devices to choose from, "auto" first.</summary>
    IReadOnlyList<string> Devices { get; }

    /// <summary>Choices of cores to choose from, an empty text first.</summary>
    IReadOnlyList<string> CoreChoices { get; }

    /// <summary>Plays with other settings from now on, without keeping them. Off the panel's thread. Where it fails, what is kept plays again.</summary>
    string? Try(HostSettings settings);

    /// <summary>Keeps what is being tried. Off the panel's thread.</summary>
    string? Keep();

    /// <summary>Back to what is kept. Off the panel's thread.</summary>
    string? Revert();

    /// <summary>Addresses at which a browser finds the panel, a line each.</summary>
    IReadOnlyList<string> Addresses { get; }

    /// <summary>Version and what it runs on, a line each.</summary>
    IReadOnlyList<string> About { get; }

    /// <summary>The version that is ready to be installed; null: none is.</summary>
    string? Newer { get; }

    /// <summary>The version before this one that can be gone back to; null: none.</summary>
    string? Older { get; }

    /// <summary>Installs the newer version and starts it. Off the panel's thread.</summary>
    string? Update();

    /// <summary>Goes back to the older one. Off the panel's thread.</summary>
    string? RollBack();
}
