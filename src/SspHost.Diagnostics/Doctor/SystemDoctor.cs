// The checks in one list, their verdict, and how a person reads it.
using System.Text;

namespace SspHost.Diagnostics;

/// <summary>Looks for what on this system will cause dropouts.</summary>
public static class SystemDoctor
{
    /// <summary>Each check is a pure function of the facts.</summary>
    internal static IReadOnlyList<Func<DoctorFacts, Finding>> Checks { get; } =
    [
        SchedulingChecks.Fifo, SchedulingChecks.Throttling, SchedulingChecks.RealTimeGroup, SchedulingChecks.Quota, SchedulingChecks.Rivals, SchedulingChecks.TimerSlack,
        CoreChecks.Preemption, CoreChecks.Isolation, CoreChecks.Governor, CoreChecks.IdleStates, CoreChecks.Interrupts, CoreChecks.Watchdogs, CoreChecks.Clock,
        CoreChecks.Hypervisor, CoreChecks.Heat,
        MemoryChecks.LockLimit, MemoryChecks.RegionLocked, MemoryChecks.StacksLocked, MemoryChecks.Swap, MemoryChecks.Compaction, MemoryChecks.HugePages,
        MemoryChecks.SamePages, MemoryChecks.Available,
        SoundChecks.Card, SoundChecks.Codec, SoundChecks.Plugins, SoundChecks.Period, SoundChecks.Busy, SoundChecks.Disk, SoundChecks.Files, SoundChecks.Measuring, SoundChecks.Tracing,
    ];

    /// <summary>All findings, the worst first; within one severity in the order of the checks.</summary>
    public static DoctorReport Examine(DoctorFacts facts)
    {
        var findings = Checks.Select(c => c(facts)).OrderByDescending(f => f.Level).ToArray();
        var worst = findings[0].Level;
        return new DoctorReport
        {
            Time = Moment.Now().Time,
            Verdict = worst == Severity.Error ? 2 : worst == Severity.Warning ? 1 : 0,
            Findings = findings,
        };
    }

    /// <summary>The report for people. <paramref name="all"/>: what is fine, too.</summary>
    public static string Format(DoctorReport report, bool all)
    {
        var text = new StringBuilder();
        foreach (var f in report.Findings)
        {
            if (f.Level == Severity.Fine)
            {
                if (all) text.Append("fine     ").Append(f.Id).Append(": ").AppendLine(f.Found);
                continue;
            }

            text.Append(f.Severity.ToUpperInvariant().PadRight(9)).Append(f.Id).Append(": ").AppendLine(f.Found);
            text.Append("         expected ").AppendLine(f.Expected);
            text.Append("         because  ").AppendLine(f.Why);
            text.Append("         mend     ").AppendLine(f.Remedy);
        }

        int Of(Severity s) => report.Findings.Count(f => f.Level == s);
        var fine = Of(Severity.Fine);
        text.Append(report.Verdict switch { 0 => "nothing here should cause dropouts", 1 => "there may be dropouts", _ => "there will be dropouts" });
        text.AppendLine(FormattableString.Invariant($": {Of(Severity.Error)} errors, {Of(Severity.Warning)} warnings, {Of(Severity.Note)} notes, {fine} checks found nothing{(all || fine == 0 ? "" : " (--all shows them)")}"));
        return text.ToString();
    }
}
