// The test card as a test sees it: one file that the plugin shares, and a configuration of libasound that names the card.
using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SspHost.TestCards;

/// <summary>A card called "bench" (alsa:bench), and beside it libasound's null, file and plug. Fields are those of sspcard.c.</summary>
internal sealed unsafe partial class TestCard : IDisposable
{
    public const int Jacks = 8;
    private const int CodesAt = 304, MostCodes = 1 << 20;
    private const int Bytes = CodesAt + (4 * MostCodes);

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _at;

    public TestCard(string folder)
    {
        var plugin = Path.Combine(Root(), "artifacts", "native", "testcard", "libasound_module_pcm_sspcard.so");
        if (!File.Exists(plugin)) throw new FileNotFoundException("the test card is not built: libasound2-dev is missing (tools/setup.sh test installs it)", plugin);
        Configuration = Path.Combine(folder, "asound.conf");
        var bench = Path.Combine(folder, "bench");
        using (var file = File.Create(bench)) file.SetLength(Bytes);
        _file = MemoryMappedFile.CreateFromFile(bench, FileMode.Open);
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _at);
        for (var j = 0; j < Jacks; j++) OutFull[j] = InFull[j] = 10;
        File.WriteAllText(
            Configuration,
            $$"""
            pcm_type.sspcard { lib "{{plugin}}" }
            pcm.bench { type sspcard bench "{{bench}}" }
            pcm.silent { type null }
            pcm.tape { type file slave.pcm { type null } file "{{folder}}/tape.raw" format "raw" }
            pcm.converted { type plug slave.pcm "bench" }
            """);
    }

    /// <summary>For ALSA_CONFIG_PATH.</summary>
    public string Configuration { get; }

    public ref int Gone => ref Int(0);

    public ref int Busy => ref Int(4);

    /// <summary>XRuns to come.</summary>
    public ref int XRuns => ref Int(8);

    /// <summary>Suspends to come, one for each direction.</summary>
    public ref int Suspends => ref Int(12);

    /// <summary>ms after which it resumes from a suspend; 0: it cannot.</summary>
    public ref int Resumable => ref Int(16);

    /// <summary>The only rate; 0: any.</summary>
    public ref int Rate => ref Int(20);

    /// <summary>SND_PCM_FORMAT_ + 1, the only one; 0: all.</summary>
    public ref int Format => ref Int(24);

    public ref int RefuseMmap => ref Int(28);

    public ref int Opens => ref Int(32);

    public ref int Starts => ref Int(36);

    public ref int Prepares => ref Int(40);

    public ref int Resumes => ref Int(44);

    /// <summary>The only number of channels; 0: 1 to 8.</summary>
    public ref int Channels => ref Int(48);

    /// <summary>1: six channels are FL FR FC LFE RL RR; 2: and they can be set.</summary>
    public ref int Chmap => ref Int(52);

    public ref int NoPlayback => ref Int(56);

    public ref int NoCapture => ref Int(60);

    /// <summary>The only period, where format and channels are fixed too.</summary>
    public ref int Period => ref Int(64);

    /// <summary>By how much the clock of capture is faster.</summary>
    public ref int CapturePpm => ref Int(68);

    /// <summary>Each output is plugged into the input of its number.</summary>
    public ref int Loop => ref Int(72);

    public ref int Record => ref Int(76);

    /// <summary>Its time moves on by a period each time it is waited for, however slow the machine is: nothing is lost that a test did not lose.</summary>
    public ref int Stepped => ref Int(288);

    /// <summary>Directions that are open.</summary>
    public ref int Open => ref Int(296);

    public ref long Played => ref Unsafe.AsRef<long>(_at + 80);

    public Span<float> OutFull => new(_at + 96, Jacks);

    public Span<float> OutZero => new(_at + 128, Jacks);

    public Span<float> InFull => new(_at + 160, Jacks);

    public Span<float> InZero => new(_at + 192, Jacks);

    /// <summary>What a meter shows at each output.</summary>
    public Span<float> OutVolts => new(_at + 224, Jacks);

    /// <summary>What is applied to each input.</summary>
    public Span<float> InVolts => new(_at + 256, Jacks);

    /// <summary>Codes of the first two channels as they were played, in turn.</summary>
    public ReadOnlySpan<int> Codes => new(_at + CodesAt, Int(292));

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    /// <summary>For tests that open the card in their own process: the C library's environment, of which the runtime keeps a copy of its own.</summary>
    public void Use()
    {
        Assert.Equal(0, SetEnv("ALSA_CONFIG_PATH", Configuration, 1));
        _ = FreeConfiguration();
    }

    private ref int Int(int at) => ref Unsafe.AsRef<int>(_at + at);

    private static string Root()
    {
        for (var d = new DirectoryInfo(AppContext.BaseDirectory); d != null; d = d.Parent)
            if (File.Exists(Path.Combine(d.FullName, "SspHost.sln"))) return d.FullName;
        throw new DirectoryNotFoundException("the tests run outside of their repository");
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnv(string name, string value, int overwrite);

    [LibraryImport("libasound.so.2", EntryPoint = "snd_config_update_free_global")]
    private static partial int FreeConfiguration();
}
