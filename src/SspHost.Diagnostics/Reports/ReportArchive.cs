// One tar.gz of everything that helps: parts that fail are named in it, a disk that is full leaves nothing behind.
using System.Formats.Tar;
using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace SspHost.Diagnostics;

/// <summary>What an archive holds.</summary>
public sealed record ManifestPart(string File, long Bytes, string What);

/// <summary>`manifest.json` of an archive.</summary>
public sealed record ManifestReport
{
    /// <summary>Version of the archive's format.</summary>
    public int Version { get; init; } = 1;

    /// <inheritdoc cref="Moment"/>
    public required string Time { get; init; }

    /// <summary>Version of the program that made it.</summary>
    public required string Program { get; init; }

    public required IReadOnlyList<ManifestPart> Parts { get; init; }

    /// <summary>What could not be had, and why.</summary>
    public required IReadOnlyDictionary<string, string> Missing { get; init; }
}

/// <summary>An archive that is being filled. Texts and JSON are redacted as they come.</summary>
public sealed class ReportArchive
{
    private readonly List<(string Name, byte[] Bytes, string What)> _parts = [];
    private readonly SortedDictionary<string, string> _missing = new(StringComparer.Ordinal);

    internal Redactor Redactor { get; init; } = Redactor.OfThisUser();

    /// <summary>How the file is made; tests make one on a full disk.</summary>
    internal Func<string, Stream> Create { get; init; } = path => new FileStream(path, FileMode.CreateNew, FileAccess.Write);

    /// <summary>What could not be had, and why.</summary>
    public IReadOnlyDictionary<string, string> Missing => _missing;

    /// <summary>Adds a text or JSON.</summary>
    public void Add(string name, string what, string text) => _parts.Add((name, Encoding.UTF8.GetBytes(Redactor.Redact(text)), what));

    /// <inheritdoc cref="Add(string, string, string)"/>
    public void Add(string name, string what, byte[] utf8) => _parts.Add((name, Redactor.Redact(utf8), what));

    /// <summary>Adds a report as JSON.</summary>
    public void Add<T>(string name, string what, T value, JsonTypeInfo<T> type) => Add(name, what, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Adds JSON as the host sent it.</summary>
    public void Add(string name, string what, JsonElement json) => Add(name, what, json.GetRawText());

    /// <summary>Says that something could not be had.</summary>
    public void Lacks(string what, string why) => _missing[what] = Redactor.Redact(why.ReplaceLineEndings(" "));

    /// <summary>Runs what adds parts; a failure is named in the archive and everything else goes on.</summary>
    public void Try(string what, Action add)
    {
        try
        {
            add();
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            Lacks(what, e.Message);
        }
    }

    /// <summary>
    /// Writes it: the whole file or none. Throws <see cref="IOException"/> with one line where that fails. Returns its bytes.
    /// </summary>
    public long Write(string path, string program)
    {
        OutputFile.Check(path);
        var moment = Moment.Now();
        var manifest = new ManifestReport { Time = moment.Time, Program = program, Parts = [.. _parts.Select(p => new ManifestPart(p.Name, p.Bytes.LongLength, p.What))], Missing = _missing };
        var temporary = path + ".tmp-" + Environment.ProcessId.ToString(System.Globalization.CultureInfo.InvariantCulture);
        long length;
        try
        {
            using (var file = Create(temporary))
            {
                using (var gzip = new GZipStream(file, CompressionLevel.Optimal, leaveOpen: true))
                using (var tar = new TarWriter(gzip, TarEntryFormat.Ustar))
                {
                    Entry(tar, "README.txt", Encoding.UTF8.GetBytes(ReportReadme.Text(manifest)));
                    Entry(tar, "manifest.json", JsonSerializer.SerializeToUtf8Bytes(manifest, MetricsJson.Pretty.ManifestReport));
                    foreach (var (name, bytes, _) in _parts) Entry(tar, name, bytes);
                }

                file.Flush();
                length = file.Length;
            }

            File.Move(temporary, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            Remove(temporary);
            throw new IOException($"{path}: the report cannot be written: {e.Message.ReplaceLineEndings(" ")}", e);
        }
        catch
        {
            Remove(temporary);
            throw;
        }

        return length;
    }

    private static void Entry(TarWriter tar, string name, byte[] bytes) => tar.WriteEntry(new UstarTarEntry(TarEntryType.RegularFile, "ssp-report/" + name)
    {
        DataStream = new MemoryStream(bytes, writable: false),
        Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead,
        ModificationTime = DateTimeOffset.UtcNow,
    });

    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It was never there, or it cannot be helped.
        }
    }
}
