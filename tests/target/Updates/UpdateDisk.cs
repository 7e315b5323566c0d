// A disk of two slots seen from outside: its marks, what its slots hold, and what its boot script would start.
using System.Globalization;
using SspHost.Target.Kit;

namespace SspHost.Target.Updates;

/// <summary>A raw image as board/disk.sh makes it.</summary>
internal sealed class UpdateDisk(string path)
{
    private const long Mib = 1 << 20, Boot = 16 * Mib, SlotA = 80 * Mib, SlotSize = 448 * Mib;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public string Path { get; } = path;

    /// <summary>The marks there are, in one line.</summary>
    public string Marks => string.Join(' ', Files.Where(f => f is "slot-b" or "try" or "tried"));

    private IEnumerable<string> Files => Ok("mdir", "-b", "-i", At, "::").Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(l => l.Trim().TrimStart(':', '/').ToLowerInvariant()).Order(StringComparer.Ordinal);

    private string Empty
    {
        get
        {
            File.WriteAllText(Path + ".empty", "");
            return Path + ".empty";
        }
    }

    private string At => Path + "@@" + Boot.ToString(CultureInfo.InvariantCulture);

    /// <summary>Makes the marks these and no others.</summary>
    public void Mark(string marks)
    {
        foreach (var mark in Marks.Split(' ', StringSplitOptions.RemoveEmptyEntries)) Ok("mdel", "-i", At, "::" + mark);
        foreach (var mark in marks.Split(' ', StringSplitOptions.RemoveEmptyEntries)) Ok("mcopy", "-i", At, Empty, "::" + mark);
    }

    /// <summary>Writes an image into a slot.</summary>
    public void Fill(char slot, string image)
    {
        using var from = File.OpenRead(image);
        using var to = new FileStream(Path, FileMode.Open, FileAccess.Write) { Position = Start(slot) };
        from.CopyTo(to, (int)Mib);
    }

    /// <summary>Takes the beginning of a slot's file system away.</summary>
    public void Break(char slot)
    {
        using var to = new FileStream(Path, FileMode.Open, FileAccess.Write) { Position = Start(slot) };
        to.Write(new byte[Mib]);
    }

    /// <summary>Whether a slot begins with all of an image.</summary>
    public bool Holds(char slot, string image)
    {
        using FileStream here = File.OpenRead(Path), there = File.OpenRead(image);
        here.Position = Start(slot);
        byte[] one = new byte[Mib], other = new byte[Mib];
        for (var left = there.Length; left > 0; left -= Mib)
        {
            var n = (int)Math.Min(left, Mib);
            here.ReadExactly(one, 0, n);
            there.ReadExactly(other, 0, n);
            if (!one.AsSpan(0, n).SequenceEqual(other.AsSpan(0, n))) return false;
        }

        return true;
    }

    /// <summary>Whether a slot has the beginning of a file system.</summary>
    public bool IsFileSystem(char slot)
    {
        using var from = File.OpenRead(Path);
        from.Position = Start(slot) + 1024 + 56;
        Span<byte> magic = stackalloc byte[2];
        from.ReadExactly(magic);
        return magic is [0x53, 0xEF];
    }

    /// <summary>What board/boot.cmd starts, by the same model that its tests without a machine use; the marks stay as they are.</summary>
    public string Chosen(string repository)
    {
        var directory = Directory.CreateTempSubdirectory("ssp-marks-").FullName;
        foreach (var mark in Marks.Split(' ', StringSplitOptions.RemoveEmptyEntries)) File.WriteAllText(System.IO.Path.Combine(directory, mark), "");
        var good = (IsFileSystem('a') ? "a" : "") + (IsFileSystem('b') ? "b" : "");
        var chosen = Ok(
            "bash", System.IO.Path.Combine(repository, "tests/SspHost.Tests/Updates/boot-choice.bash"), System.IO.Path.Combine(repository, "board/boot.cmd"), directory, good.Length > 0 ? good : "-").Output.Trim();
        Directory.Delete(directory, recursive: true);
        return chosen;
    }

    public static Outcome Ok(string program, params string[] arguments)
    {
        var outcome = Shell.Run(Patience, program, arguments);
        Assert.True(outcome.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {outcome}");
        return outcome;
    }

    private static long Start(char slot) => slot == 'a' ? SlotA : SlotA + SlotSize;
}
