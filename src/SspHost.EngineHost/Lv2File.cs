// An LV2 plugin as `ssp` hands it to the tools of this executable: the bytes of a descriptor blob, the blob, and the plugin's record.
using SspHost.Engine.Loading;

namespace SspHost.EngineHost;

internal static class Lv2File
{
    public static OpenLibrary? Open(string file, out string refusal)
    {
        using var reader = new BinaryReader(File.OpenRead(file));
        var blob = reader.ReadBytes(reader.ReadInt32());
        return OpenLibrary.OpenLv2(blob, reader.ReadBytes((int)(reader.BaseStream.Length - reader.BaseStream.Position)), out refusal);
    }
}
