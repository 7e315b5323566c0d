// One plugin tried out in a child that may die of it: ssp-engine probe --lv2 FILE RATE QUANTUM, where FILE holds its descriptor and its record.
using System.Globalization;
using SspHost.Abi;
using SspHost.Supervision;

namespace SspHost.Lv2;

internal static class Lv2Trial
{
    /// <summary>Null, or what is wrong with the plugin at a rate in Hz and a quantum in frames.</summary>
    public static string? Run(Lv2Module module, int rate, int quantum)
    {
        var file = Path.GetTempFileName();
        try
        {
            Write(file, module);
            return LibraryProbe.Run(["probe", "--lv2", file, rate.ToString(CultureInfo.InvariantCulture), quantum.ToString(CultureInfo.InvariantCulture)], LibraryProbe.Patience).Refusal;
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
