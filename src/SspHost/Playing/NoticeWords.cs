// Notices of the audio thread as lines for people: each says what happened, to whom, and what it means.
using System.Globalization;
using SspHost.Abi;
using SspHost.Diagnostics;

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
            case NoticeKind.None:
                return null;
            default:
                return IncidentKinds.Line(in n, n.Key != 0 ? nameOf(n.Key) : null);
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
            $"{(_dropouts == 1 ? "dropout" : $"{_dropouts} dropouts")}: {_lost} frames lost, {(_dropouts == 1 ? "" : "the longest because ")}{IncidentKinds.Cause(_cause)}{_slowest}{_incident}");
        (_dropouts, _lost, _most, _incident, _slowest) = (0, 0, 0, "", "");
        return line;
    }

    private static string Slowest(in Notice n, Func<ulong, string?> nameOf) => IncidentKinds.Slowest(in n, n.Key != 0 ? nameOf(n.Key) : null);
}
