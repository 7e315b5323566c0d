// Where things are: the checkout, our executables, what tools/peers.sh built, where runs may write.
namespace SspHost.Peers;

/// <summary>Paths, all absolute.</summary>
internal sealed class Places
{
    public Places(string root)
    {
        Root = root;
        Work = Path.Combine(root, "artifacts", "peers", "work");
        Results = Path.Combine(root, "artifacts", "peers", "results");
    }

    public string Root { get; }

    /// <summary>Scores, patches and sound of a run.</summary>
    public string Work { get; }

    /// <summary>One file of results a benchmark.</summary>
    public string Results { get; }

    public string Ssp => Path.Combine(Bin, "ssp");

    public string Engine => Path.Combine(Bin, "ssp-engine");

    public string Timed => Built("timed");

    /// <summary>Something that tools/peers.sh makes.</summary>
    public string Built(string name) => Path.Combine(Root, "artifacts", "peers", name);

    /// <summary>Where sound goes: memory, where there is such a place, so that no disk is measured.</summary>
    public string Sound(string name) => Path.Combine(Sounds, $"ssp-peers-{name}.wav");

    /// <summary>Takes away what the runs rendered.</summary>
    public void Clear()
    {
        foreach (var file in Directory.GetFiles(Sounds, "ssp-peers-*.wav")) File.Delete(file);
    }

    private string Sounds => Directory.Exists("/dev/shm") ? "/dev/shm" : Work;

    /// <summary>A file of tests/Peers.</summary>
    public string Source(string name) => Path.Combine(Root, "tests", "Peers", name);

    /// <summary>A path as a person in the root folder writes it.</summary>
    public string Relative(string path) => path.StartsWith(Root + "/", StringComparison.Ordinal) ? path[(Root.Length + 1)..] : path;

    private string Bin => Environment.GetEnvironmentVariable("SSP_BIN") is { Length: > 0 } bin ? bin : Path.Combine(Root, "artifacts", "bin");

    /// <summary>The checkout that the working directory lies in. Throws <see cref="PeerException"/> outside of one.</summary>
    public static Places Find()
    {
        for (var at = Environment.CurrentDirectory; at != null; at = Path.GetDirectoryName(at))
            if (File.Exists(Path.Combine(at, "SspHost.sln"))) return new Places(at);
        throw new PeerException("this is no checkout of the project (SspHost.sln is neither here nor above)");
    }
}
