// What a patch may be at most, and how its names are spelled: one place for reader, edits and schema.
using SspHost.Abi;

namespace SspHost.Patching;

/// <summary>Limits of a patch file and of everything in it.</summary>
public static class PatchLimits
{
    /// <summary>Bytes of a patch file.</summary>
    public const int FileBytes = 16 << 20;

    /// <summary>Levels of nesting in a patch file; a patch needs five, unknown fields may use the rest.</summary>
    public const int Depth = 64;

    /// <summary>Modules in a patch. Fewer than the engine's instance slots, so that a changing patch finds free ones.</summary>
    public const int Modules = 2048;

    /// <summary>Cables in a patch.</summary>
    public const int Cables = 16_384;

    /// <summary>Cables that move one parameter.</summary>
    public const int ParameterCables = Limits.MaxParameters;

    /// <summary>Scenes of a patch.</summary>
    public const int Scenes = 8;

    /// <summary>MIDI controllers in charge of parameters.</summary>
    public const int Controllers = 512;

    /// <summary>Characters of a module's id: what fits in a plan node's name.</summary>
    public const int IdLength = InstanceRecord.NameBytes - 1;

    /// <summary>Characters of a module type id and of a port, parameter, setting or asset id.</summary>
    public const int TypeLength = 64;

    /// <summary>Characters of a patch's name and of a module's label.</summary>
    public const int NameLength = 100;

    /// <summary>Characters of the notes.</summary>
    public const int NotesLength = 16_384;

    /// <summary>Characters of an asset's path.</summary>
    public const int PathLength = 1024;

    /// <summary>Bytes of one module's saved state.</summary>
    public const int StateBytes = 1 << 20;

    /// <summary>Largest gain of a cable, either sign.</summary>
    public const float Gain = 100f;

    /// <summary>Largest position on the panel's canvas, either sign.</summary>
    public const int Position = 1_000_000;

    /// <summary>Whether <paramref name="id"/> may be a module's id: 1..31 of a-z 0-9 - _.</summary>
    public static bool IsId(string id)
    {
        if (id.Length is 0 or > IdLength) return false;
        foreach (var c in id)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '-' or '_')) return false;
        }

        return true;
    }

    /// <summary>Whether <paramref name="id"/> may name a module type, port, parameter, setting or asset slot: 1..64 of a-z 0-9 . _ / -.</summary>
    public static bool IsTypeId(string id)
    {
        if (id.Length is 0 or > TypeLength) return false;
        foreach (var c in id)
        {
            if (c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '.' or '_' or '/' or '-')) return false;
        }

        return true;
    }

    /// <summary>Whether a cable may end there: at a port, or at a parameter with its mark.</summary>
    public static bool IsEnd(PortRef to) => IsTypeId(to.IsParameter ? to.Port[1..] : to.Port);

    /// <summary>Whether <paramref name="text"/> is one line of at most <see cref="NameLength"/> characters.</summary>
    public static bool IsName(string text)
    {
        if (text.Length > NameLength) return false;
        foreach (var c in text)
        {
            if (char.IsControl(c)) return false;
        }

        return true;
    }

    /// <summary>
    /// Whether <paramref name="path"/> may refer to an asset: relative to the patch, '/' between its parts, none of them "." or "..",
    /// so that a patch and its samples move together and a patch never reaches outside its folder.
    /// </summary>
    public static bool IsAssetPath(string path)
    {
        if (path.Length is 0 or > PathLength) return false;
        foreach (var c in path)
        {
            if (char.IsControl(c) || c == '\\') return false;
        }

        foreach (var range in path.AsSpan().Split('/'))
        {
            if (path.AsSpan()[range] is "" or "." or "..") return false;
        }

        return true;
    }

    /// <summary>A fresh patch identity: 16 hexadecimal digits.</summary>
    public static string NewPatchId() => Guid.NewGuid().ToString("N")[..16];
}
