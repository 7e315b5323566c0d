// One plugin tried out in a child that may die of it: ssp-engine probe --lv2 FILE, where FILE holds its descriptor and its record.
using SspHost.Abi;
using SspHost.Supervision;

namespace SspHost.Lv2;

internal static class Lv2Trial
{
    /// <summary>Null, or what is wrong with the plugin.</summary>
    public static string? Run(Lv2Module module)
    {
        var file = Path.GetTempFileName();
        try
        {
            Write(file, module);
            return LibraryProbe.Run("--lv2", file).Refusal;
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The bytes of the blob, the blob, and the record: what the engine's tools read.</summary>
    public static void Write(string file, Lv2Module module)
    {
        using var writer = new BinaryWriter(File.Create(file));
        var blob = DescriptorBlob.Write([module.Descriptor]);
        writer.Write(blob.Length);
        writer.Write(blob);
        writer.Write(module.Record);
    }
}
