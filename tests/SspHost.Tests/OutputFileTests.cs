// Nothing that is no plain file is written to or put aside: the host may be root.
using SspHost.Diagnostics;
using SspHost.Wav;

namespace SspHost.Tests;

public sealed class OutputFileTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ssp-");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public void A_device_or_a_link_to_one_is_refused_and_a_file_or_nothing_is_not()
    {
        var (link, file, gone) = (Path.Combine(_directory.FullName, "link"), Path.Combine(_directory.FullName, "file"), Path.Combine(_directory.FullName, "gone"));
        File.CreateSymbolicLink(link, "/dev/null");
        File.WriteAllText(file, "");
        foreach (var bad in new[] { "/dev/null", link, _directory.FullName })
        {
            Assert.StartsWith(bad + ": this is no plain file", Assert.Throws<IOException>(() => OutputFile.Check(bad)).Message, StringComparison.Ordinal);
            Assert.ThrowsAny<IOException>(() => WavFormat.CheckOutput(bad, ""));
        }

        OutputFile.Check(file);
        OutputFile.Check(gone);
        WavFormat.CheckOutput(gone, "");
    }

    [Fact]
    public void What_is_made_whole_and_then_put_in_place_does_not_take_the_place_of_a_device()
    {
        var link = Path.Combine(_directory.FullName, "link");
        File.CreateSymbolicLink(link, "/dev/null");
        Assert.ThrowsAny<IOException>(() => new ReportArchive().Write(link, "test"));
        Assert.Equal("/dev/null", new FileInfo(link).LinkTarget);
        Assert.Single(_directory.GetFileSystemInfos());
    }
}
