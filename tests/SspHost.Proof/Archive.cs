// A static library: the objects in an ar archive.
using System.Globalization;
using System.Text;

namespace SspHost.Proof;

/// <summary>Reads files that are objects or archives of objects (System V ar).</summary>
internal static class Archive
{
    /// <summary>The objects of a file.</summary>
    public static IEnumerable<ElfObject> Open(string path)
    {
        byte[] content;
        try
        {
            content = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ProofException($"{path}: {e.Message}");
        }

        return Read(new Bytes(Path.GetFileName(path), content));
    }

    /// <summary>The objects in some bytes.</summary>
    public static List<ElfObject> Read(Bytes file) => file.Span.StartsWith("!<arch>\n"u8) ? Members(file) : [ElfObject.Read(file)];

    private static List<ElfObject> Members(Bytes file)
    {
        var found = new List<ElfObject>();
        var at = 8UL;
        while (at < (ulong)file.Length)
        {
            var header = file.Slice(at, 60);
            if (header.U16(58) != 0x0A60) throw new ProofException($"{file.File}: no member of an archive at byte {at}");
            var name = Encoding.ASCII.GetString(header.Span[..16]).TrimEnd();
            var size = Encoding.ASCII.GetString(header.Span.Slice(48, 10)).TrimEnd();
            if (!ulong.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes))
                throw new ProofException($"{file.File}: member '{name}' at byte {at}: its size is '{size}'");
            var body = file.Slice(at + 60, bytes);
            // "/" and "//" are the archive's own tables; a long name "/17" is an offset into the latter, which nobody needs.
            if (name is not ("/" or "//" or "/SYM64/"))
                found.Add(ElfObject.Read(new Bytes($"{file.File}({name.TrimEnd('/')})", body.Span.ToArray())));
            at += 60 + bytes + (bytes & 1);
        }

        return found;
    }
}
