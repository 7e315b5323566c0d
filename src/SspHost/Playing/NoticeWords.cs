// Notices of the audio thread as lines for people: each says what happened, to whom, and what it means.
using System.Globalization;
using SspHost.Abi;

namespace SspHost.Playing;

/// <summary>Words for notices. Late quanta and dropouts come in crowds: they are summed up, the rest is said one by one.</summary>
internal sealed class NoticeWords
{
    private int _late;
    private long _longest;
    private long _budget;
    private string _slow = "";
    private int _dropouts;
    private long _lost;
    private DropoutCause _cause;
    private long _most;
    private string _incident = "";
    private string _slowest = "";

    /// <summary>The line of a notice; null where it only counts (see <see cref="TakeLate"/> and <see cref="TakeDropouts"/>).</summary>
    public string? Line(in Notice n, Func<ulong, string?> nameOf)
    {
        var module = n.Key != 0 ? $"'{nameOf(n.Key) ?? "a module that left"}'" : "a module";
        var incident = n.Incident != 0 ? string.Create(CultureInfo.InvariantCulture, $" (incident {n.Incident})") : "";
        switch (n.Kind)
        {
            case NoticeKind.Late:
                _late++;
                if (n.A > _longest) (_longest, _budget, _slow) = (n.A, n.B, Slowest(n, nameOf));
                return null;
            case NoticeKind.Dropout:
                // The longest one's cause and number stand for all.
                if (_dropouts++ == 0 || n.A > _most) (_most, _cause, _incident, _slowest) = (n.A, (DropoutCause)n.B, incident, Slowest(n, nameOf));
                _lost += n.A;
                return null;
            case NoticeKind.BadOutput:
                return string.Create(CultureInfo.InvariantCulture, $"{module}: output {n.A + 1} was not a number or beyond {Limits.MaxVolts:0} V; silenced and reset{incident}");
            case NoticeKind.ModuleShed:
                return $"{module} {Why((ShedReason)n.A, n.B)} and is switched off; 'ssp patch restore' switches it on again{incident}";
            case NoticeKind.DeviceEnded:
                return string.Create(CultureInfo.InvariantCulture, $"the recording is over after {n.A} frames");
            case NoticeKind.DeviceAway:
                return $"the device is away; playing goes on by itself when it is back{incident}";
            case NoticeKind.ClockJump:
                return (n.A == 0 ? "the device's timestamps stopped" : string.Create(CultureInfo.InvariantCulture, $"the device's timestamps leapt by {n.A / 1e6:0.0} ms"))
                    + $"; nothing is lost by that{incident}";
            case NoticeKind.DeviceLost:
                return $"the device was lost: {new System.ComponentModel.Win32Exception((int)n.A).Message}";
            default:
                return null;
        }
    }

    /// <summary>One line on all late quanta since the last call, or null.</summary>
    public string? TakeLate()
    {
        if (_late == 0) return null;
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"late: {_late} {(_late == 1 ? "quantum" : "quanta")}, the longest {_longest / 1e6:0.00} ms of {_budget / 1e6:0.00} ms{_slow}; nothing lost unless a dropout is told");
        (_late, _longest, _budget, _slow) = (0, 0, 0, "");
        return line;
    }

    /// <summary>One line on all dropouts since the last call, or null.</summary>
    public string? TakeDropouts()
    {
        if (_dropouts == 0) return null;
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{(_dropouts == 1 ? "dropout" : $"{_dropouts} dropouts")}: {_lost} frames lost, {(_dropouts == 1 ? "" : "the longest because ")}{Cause(_cause)}{_slowest}{_incident}");
        (_dropouts, _lost, _most, _incident, _slowest) = (0, 0, 0, "", "");
        return line;
    }

    private static string Why(ShedReason reason, long figure) => reason switch
    {
        ShedReason.Overload => string.Create(CultureInfo.InvariantCulture, $"cost most of an overload ({figure / 1000.0:0.0} us a quantum)"),
        ShedReason.Stuck => string.Create(CultureInfo.InvariantCulture, $"did not come back for {figure / 1e6:0} ms"),
        ShedReason.Fault => string.Create(CultureInfo.InvariantCulture, $"faulted (signal {figure})"),
        _ => "failed three times in a second",
    };

    // With its time, so that a reader sees whether it explains anything: among two hundred equal modules one is the dearest, too.
    private static string Slowest(in Notice n, Func<ulong, string?> nameOf) => n.Key == 0 || n.C <= 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $", {n.C / 1e6:0.00} ms of that in '{nameOf(n.Key) ?? "a module that left"}'");

    private static string Cause(DropoutCause cause) => cause switch
    {
        DropoutCause.SlowRender => "a quantum was rendered too slowly",
        DropoutCause.LateWakeUp => "the audio thread got its core too late",
        DropoutCause.Device => "reported by the device",
        DropoutCause.Unplugged => "the device was away",
        _ => "cause unknown",
    };
}
