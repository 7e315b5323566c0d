// How often a wrong token may be tried: a few times at once, then slowly, each address by itself.
using System.Buffers.Binary;
using System.Net;

namespace SspHost.Remote.Web;

/// <summary>
/// Counts wrong tokens by address (of IPv6 by its network, which is one household). Where more addresses try than are kept, those that come later
/// share one count. Not for several threads at once.
/// </summary>
/// <param name="now">The steady clock, ns.</param>
internal sealed class TokenTries(Func<ulong> now)
{
    /// <summary>Wrong tries at once.</summary>
    public const int AtOnce = 10;

    /// <summary>Addresses that are kept.</summary>
    public const int MostAddresses = 1024;

    private const ulong Each = 6_000_000_000; // ns until a try is given back: 14,400 a day, of 62^12 tokens at least

    private static readonly (bool Wide, ulong Number) Others = (true, ulong.MaxValue);

    // When the last of an address's tries is given back: one number says how many are out.
    private readonly Dictionary<(bool Wide, ulong Number), ulong> _whole = [];

    private ulong _sweep;

    /// <summary>Addresses that are kept at present.</summary>
    public int Count => _whole.Count;

    /// <summary>Seconds until an address may try again; 0: it may.</summary>
    public int Wait(IPAddress? from)
    {
        var whole = _whole.GetValueOrDefault(KeyOf(from));
        var may = now() + (Each * (AtOnce - 1));
        return whole <= may ? 0 : (int)((whole - may + 999_999_999) / 1_000_000_000);
    }

    /// <summary>An address has tried a wrong one.</summary>
    public void Wrong(IPAddress? from)
    {
        var (key, at) = (KeyOf(from), now());
        _whole[key] = Math.Max(at, _whole.GetValueOrDefault(key)) + Each;
        if (_whole.Count < MostAddresses || at < _sweep) return;
        _sweep = at + Each; // none rests sooner
        foreach (var (rested, _) in _whole.Where(w => w.Value <= at).ToArray()) _whole.Remove(rested);
    }

    private (bool Wide, ulong Number) KeyOf(IPAddress? from)
    {
        Span<byte> bytes = stackalloc byte[16];
        bytes.Clear();
        if (from == null || !from.TryWriteBytes(bytes, out var length)) return Others;
        var key = length == 16 && !from.IsIPv4MappedToIPv6
            ? (true, BinaryPrimitives.ReadUInt64BigEndian(bytes))
            : (false, BinaryPrimitives.ReadUInt32BigEndian(length == 16 ? bytes[12..] : bytes));
        return _whole.Count < MostAddresses || _whole.ContainsKey(key) ? key : Others;
    }
}
