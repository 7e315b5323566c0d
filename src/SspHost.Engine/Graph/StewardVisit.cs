// The steward is inside a module: who finds that it does not come back reads here which one it was, and what it mallocs is that one's.
using SspHost.Abi;
using SspHost.Engine.Memory;

namespace SspHost.Engine.Graph;

/// <summary>Around each call of a module off the RT threads. [steward]</summary>
internal readonly unsafe ref struct StewardVisit
{
    private readonly RegionHeader* _header;

    /// <summary>It goes in. <paramref name="owner"/>: slot + 1, or 0; <paramref name="name"/>: NameBytes of them, or null.</summary>
    public StewardVisit(RegionMap map, int module, uint owner, ulong key, byte* name)
    {
        _header = map.Header;
        _header->StewardModule = module;
        _header->StewardKey = key;
        var text = new Span<byte>(_header->StewardName, InstanceRecord.NameBytes);
        if (name == null) text.Clear();
        else new ReadOnlySpan<byte>(name, InstanceRecord.NameBytes).CopyTo(text);
        Volatile.Write(ref _header->StewardSince, Linux.Now()); // last: who sees a time sees the rest
        HeapScope.Enter(owner);
    }

    /// <summary>It has come back.</summary>
    public void Dispose()
    {
        HeapScope.Leave();
        Volatile.Write(ref _header->StewardSince, 0);
    }
}
