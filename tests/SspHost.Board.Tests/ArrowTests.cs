// The board knows of the panel what a body of it has to know: its surface.
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace SspHost.Board.Tests;

public class ArrowTests
{
    [Fact]
    public void Of_the_panel_only_the_surface_is_used()
    {
        using var file = new PEReader(File.OpenRead(typeof(BoardDevices).Assembly.Location));
        var reader = file.GetMetadataReader();
        var namespaces = new HashSet<string>();
        foreach (var handle in reader.TypeReferences)
        {
            var type = reader.GetTypeReference(handle);
            if (type.ResolutionScope.Kind != HandleKind.AssemblyReference) continue;
            var assembly = reader.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope);
            if (reader.GetString(assembly.Name) == "SspHost.Panel") namespaces.Add(reader.GetString(type.Namespace));
        }

        Assert.Equal(["SspHost.Panel.Surface"], namespaces);
    }
}
