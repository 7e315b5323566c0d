// The identity of a module instance as 64 bits: the same in every process and on every machine.

namespace SspHost.Patching;

/// <summary>
/// FNV-1a (Fowler, Noll, Vo) over patch id, module id, type and settings, finished by the mixer of SplitMix64 (Steele, Lea, Flood 2014)
/// so that the low 32 bits, which address events, are as good as the high ones.
/// </summary>
public static class PlanKey
{
    private const ulong Offset = 14695981039346656037, Prime = 1099511628211;

    /// <summary>
    /// Key of a module with these settings (in the descriptor's order). <paramref name="salt"/> is 0 but for colliding keys,
    /// <paramref name="revision"/> but for types that replaced another (<see cref="ModuleType.Revision"/>).
    /// </summary>
    public static ulong Of(string patch, string module, string type, ReadOnlySpan<int> settings, uint salt = 0, uint revision = 0)
    {
        var hash = Text(Text(Text(Offset, patch), module), type);
        foreach (var s in settings) hash = Number(hash, (uint)s);
        if (revision != 0) hash = Number(hash, revision);
        return Mix(Number(hash, salt));
    }

    /// <summary>Identity of a cable: its ends, whether it is delayed, and how many channels it carries. Never 0.</summary>
    public static ulong Cable(ulong from, int fromPort, ulong to, int toPort, bool delayed, int channels) =>
        Identity(from, to, (uint)fromPort | ((ulong)(uint)toPort << 16) | ((ulong)(uint)channels << 32) | (delayed ? 1UL << 40 : 0));

    /// <summary>Identity of one channel of a device output on its way to a jack. Never 0.</summary>
    public static ulong Line(ulong from, int port, int channel, int jack) =>
        Identity(from, 0, (uint)port | ((ulong)(uint)channel << 16) | ((ulong)(uint)jack << 32) | (1UL << 41));

    private static ulong Identity(ulong a, ulong b, ulong c)
    {
        var id = Mix(Mix(Mix(a) + b) + c);
        return id == 0 ? 1 : id;
    }

    private static ulong Text(ulong hash, string text)
    {
        Span<byte> part = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            var n = rune.EncodeToUtf8(part);
            for (var i = 0; i < n; i++) hash = (hash ^ part[i]) * Prime;
        }

        return (hash ^ 0xFF) * Prime; // no UTF-8 text has this byte: "ab","c" and "a","bc" differ
    }

    private static ulong Number(ulong hash, uint value)
    {
        for (var i = 0; i < 4; i++) hash = (hash ^ (byte)(value >> (8 * i))) * Prime;
        return hash;
    }

    private static ulong Mix(ulong x)
    {
        x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
        x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
        return x ^ (x >> 31);
    }
}
