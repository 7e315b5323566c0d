// The host as the panel needs it: handed in by the composition root, so that pages can be tested without an engine.
using SspHost.Diagnostics;
using SspHost.Patching;

namespace SspHost.Panel;

/// <summary>What a module type will cost on this device, by its own measurements.</summary>
/// <param name="Nanoseconds">ns a quantum, measured here; null: never.</param>
/// <param name="Bytes">Bytes of the pool; null: not known before it is made.</param>
public readonly record struct ModuleLoad(double? Nanoseconds, long? Bytes);

/// <summary>A controller that was moved.</summary>
/// <param name="Serial">Rises with each move that was heard; 0: none was yet.</param>
/// <param name="Channel">1..16.</param>
/// <param name="Fine">Whether it sends 14 bits: the controller 32 above followed it.</param>
/// <param name="Value">0..1.</param>
public readonly record struct ControllerMove(ulong Serial, string Port, int Channel, int Number, bool Fine, float Value);

/// <summary>The host behind the panel. Functions may be called from the panel's thread only and are quick; a text that comes back says why not.</summary>
public interface IPanelHost
{
    /// <summary>The one way into the patch.</summary>
    PatchSession Session { get; }

    /// <summary>The module types.</summary>
    DescriptorIndex Modules { get; }

    /// <summary>What the engine shows at this moment.</summary>
    ILive Live { get; }

    /// <summary>The last report, at most a second old.</summary>
    StatusReport Status { get; }

    /// <inheritdoc cref="Status"/>
    CostsReport Costs { get; }

    /// <summary>What happened to the sound.</summary>
    IncidentLog Incidents { get; }

    /// <summary>What the host said.</summary>
    LogLines Log { get; }

    /// <summary>CLOCK_MONOTONIC in ns; a script's own in tests.</summary>
    ulong Now { get; }

    /// <summary>What another module of a type will cost.</summary>
    ModuleLoad Predict(ModuleType type);

    /// <summary>Opens a patch file.</summary>
    string? Open(string path);

    /// <summary>Saves the patch; null: where it was opened or saved last.</summary>
    string? Save(string? path);

    /// <summary>The jacks; null: the host has none to set up.</summary>
    IJackDesk? Jacks => null;

    /// <summary>Folders and recording; null: there are none.</summary>
    IFileDesk? Files => null;

    /// <summary>Histories and tools; null: there are none.</summary>
    ISystemDesk? Machine => null;

    /// <summary>What can be configured; null: nothing from here.</summary>
    ISettingsDesk? Settings => null;

    /// <summary>The MIDI controller that was moved last, on any port: for learning.</summary>
    ControllerMove LastController { get; }

    /// <summary>Names of the presets of a module type, those that ship first.</summary>
    IReadOnlyList<string> Presets(string type);

    /// <summary>The edits that set a module of the patch to a preset of its type; null: <paramref name="why"/> not.</summary>
    IReadOnlyList<Edit>? Preset(string module, string name, out string why);

    /// <summary>Keeps a module's parameters, settings and state as a preset of its type; one of that name is replaced.</summary>
    string? SavePreset(string module, string name);

    /// <summary>Recordings that a patch can refer to: paths relative to it, by name.</summary>
    IReadOnlyList<string> Samples();

    /// <summary>Starts audio; fades out and stops it.</summary>
    string? Start();

    /// <inheritdoc cref="Start"/>
    string? Stop();

    /// <summary>Switches a module on again that was switched off.</summary>
    string? Restore(string module);

    /// <summary>Keeps a line under a name, for the panel to be as it was after a crash; quick, written soon after.</summary>
    void Remember(string name, string value);

    /// <summary>What was kept under a name; null: nothing.</summary>
    string? Recall(string name);

    /// <summary>Work off the panel's thread; <paramref name="done"/> runs on it afterwards, with what came of it.</summary>
    void Run<T>(Func<T> work, Action<T> done);
}
