// A file from outside, read whole or refused: nothing that does not end, nothing larger than what it may be.
namespace SspHost.Patching;

internal static class BoundedFile
{
    /// <summary>The bytes of a file, or null and why not. Throws nothing for what the file is. <paramref name="what"/> was expected: "patch".</summary>
    public static byte[]? Read(string path, int most, string what, out PatchError? error)
    {
        error = null;
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, 1);
            if (file.CanSeek && file.Length > most)
            {
                error = TooLarge(path, $"{file.Length} bytes", most, what);
                return null;
            }

            using var bytes = new MemoryStream();
            var part = new byte[64 << 10];
            for (int n; (n = file.Read(part)) > 0;)
            {
                bytes.Write(part, 0, n);
                if (bytes.Length <= most) continue;
                error = TooLarge(path, "it does not end", most, what); // a device or a pipe
                return null;
            }

            return bytes.ToArray();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            var why = e switch
            {
                FileNotFoundException or DirectoryNotFoundException => "there is no such file",
                UnauthorizedAccessException when Directory.Exists(path) => "this is a folder",
                UnauthorizedAccessException => "not allowed to read it",
                _ => PatchError.OneLine(e.Message, 200),
            };
            error = new PatchError { File = path, What = why, Expected = $"a {what} file" };
            return null;
        }
    }

    public static PatchError TooLarge(string file, string size, int most, string what) =>
        new() { File = file, What = $"too large for a {what}: {size}", Expected = $"at most {most} bytes" };
}
