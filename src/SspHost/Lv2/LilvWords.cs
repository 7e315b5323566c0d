// What liblilv writes on standard error while something is done: it has no other way to say why.
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Lv2;

/// <summary>Standard error is the process's: what others write meanwhile is passed on afterwards.</summary>
internal static partial class LilvWords
{
    private const int StandardError = 2, Most = 1 << 16;

    private static readonly Lock OneAtATime = new();

    /// <summary>Does it; the first thing that liblilv, or what reads RDF for it, complained of meanwhile, or null.</summary>
    public static string? Of(Action act)
    {
        lock (OneAtATime)
        {
            var (own, there) = (MemoryFile("lilv", 1), Duplicate(StandardError)); // closed in children
            if (own < 0 || there < 0 || Duplicate(own, StandardError) < 0)
            {
                if (own >= 0) _ = Close(own);
                if (there >= 0) _ = Close(there);
                act();
                return null;
            }

            try
            {
                act();
            }
            finally
            {
                _ = Duplicate(there, StandardError);
                _ = Close(there);
            }

            return Sort(Read(own));
        }
    }

    private static string? Sort(string said)
    {
        string? first = null;
        foreach (var line in said.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            if (Complaint(line) is { } complaint) first ??= Lv2Names.Line(complaint, 300);
            else Console.Error.WriteLine(line);
        }

        return first;
    }

    // Null: it is not theirs.
    private static string? Complaint(string line)
    {
        foreach (var head in (ReadOnlySpan<string>)["error: ", "warning: "])
            if (line.StartsWith(head, StringComparison.Ordinal)) return line[head.Length..];
        return line.StartsWith("lilv_", StringComparison.Ordinal) && line.IndexOf("(): ", StringComparison.Ordinal) is > 0 and var at ? line[(at + 4)..] : null;
    }

    private static string Read(int file)
    {
        using var handle = new Microsoft.Win32.SafeHandles.SafeFileHandle(file, ownsHandle: true);
        var bytes = new byte[Math.Min(Most, RandomAccess.GetLength(handle))];
        return bytes.Length == 0 ? "" : Encoding.UTF8.GetString(bytes.AsSpan(0, RandomAccess.Read(handle, bytes, 0)));
    }

    [LibraryImport("libc", EntryPoint = "memfd_create", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "dup")]
    private static partial int Duplicate(int file);

    [LibraryImport("libc", EntryPoint = "dup2")]
    private static partial int Duplicate(int file, int to);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int file);
}
