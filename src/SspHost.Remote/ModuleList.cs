// The modules of an engine as JSON: the same from `ssp modules --json` and from the control socket.
using System.Text.Json;
using System.Text.Json.Serialization;
using SspHost.Abi;

namespace SspHost.Remote;

/// <summary>All module types.</summary>
/// <param name="Version">Version of this format.</param>
public sealed record ModuleList(int Version, IReadOnlyList<ModuleDescriptor> Modules)
{
    /// <summary>The list as UTF-8 JSON.</summary>
    public static byte[] Write(IReadOnlyList<ModuleDescriptor> modules, bool indented = false) =>
        JsonSerializer.SerializeToUtf8Bytes(new ModuleList(1, modules), indented ? ModuleListJson.Pretty.ModuleList : ModuleListJson.Default.ModuleList);
}

/// <summary>Its JSON, made at compile time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(ModuleList))]
internal sealed partial class ModuleListJson : JsonSerializerContext
{
    public static ModuleListJson Pretty { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        WriteIndented = true,
    });
}
