// The numbers both sides compare before they trust each other's bytes.
namespace SspHost.Abi;

/// <summary>Versions of what crosses a border. A difference is an error, never a guess.</summary>
public static class AbiVersion
{
    /// <summary>"SSPHOST1" in memory order: the first eight bytes of a region.</summary>
    public const ulong Magic = 0x3154_534F_4850_5353;

    /// <summary>Layout of the region: header, rings, tables. Any change of any struct in it raises this.</summary>
    public const uint Layout = 12;

    /// <summary>The module contract: <see cref="ProcessContext"/>, requirements, events. Native modules state the one they were built for.</summary>
    public const uint Module = 1;

    /// <summary>Format of the descriptor blob (<see cref="DescriptorBlob"/>).</summary>
    public const uint Descriptors = 3;

    /// <summary>Format of a plan description (<see cref="PlanHeader"/>).</summary>
    public const uint Plan = 4;
}
