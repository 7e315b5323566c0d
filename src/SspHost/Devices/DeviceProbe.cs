// What an ALSA device can do, asked by opening it for a moment: never waiting for it, never setting it up, never starting it.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace SspHost.Devices;

/// <summary>One direction of a device.</summary>
/// <param name="Formats">Sample formats the engine plays, best first.</param>
/// <param name="Rates">Those of the usual rates within its range.</param>
/// <param name="Channels">"2", or "2-8".</param>
/// <param name="Mmap">Whether it can be mapped into memory; without that it is played through plughw:.</param>
/// <param name="Maps">Channel maps it knows: "FL FR", one each.</param>
internal sealed record DirectionReport(IReadOnlyList<string> Formats, IReadOnlyList<int> Rates, string Channels, bool Mmap, IReadOnlyList<string> Maps);

/// <summary>A device; a direction it has not got is null.</summary>
/// <param name="Name">For --device alsa:NAME.</param>
/// <param name="Stable">The name its calibration is kept under.</param>
/// <param name="Linked">Whether playback and capture start together by the device itself; null: not both are there.</param>
/// <param name="Trouble">Why it could not be asked.</param>
internal sealed record ProbeReport(string Name, string Stable, DirectionReport? Output, DirectionReport? Input, bool? Linked, string? Trouble);

/// <summary>Asks libasound.</summary>
internal static unsafe class DeviceProbe
{
    private const int Playback = 0, Capture = 1, NonBlock = 1;
    private const int ENoEnt = -2, ENxIo = -6, ENoDev = -19, EInval = -22, EBusy = -16;

    private static readonly (int Number, string Name)[] s_formats =
    [
        (10, "S32"), (14, "FLOAT"), (6, "S24"), (32, "S24_3LE"), (11, "S32_BE"), (15, "FLOAT_BE"), (7, "S24_BE"), (33, "S24_3BE"), (2, "S16"), (3, "S16_BE"),
    ];

    private static readonly int[] s_rates = [44_100, 48_000, 88_200, 96_000, 176_400, 192_000];

    /// <summary>Asks one device. A device somebody plays on says only that.</summary>
    public static ProbeReport Ask(string name)
    {
        if (!NativeLibrary.TryLoad("libasound.so.2", out var library)) return new ProbeReport(name, name, null, null, null, "libasound.so.2 is not installed (apt install libasound2)");
        var alsa = new Functions(library);
        alsa.Silence();
        void* playback = null, capture = null;
        var (out1, in1) = (alsa.Open(name, Playback, &playback), alsa.Open(name, Capture, &capture));
        try
        {
            string? trouble = null;
            if (out1 == EBusy || in1 == EBusy) trouble = "in use";
            else if (out1 < 0 && in1 < 0) trouble = new System.ComponentModel.Win32Exception(-out1).Message;
            else if (out1 < 0 && !IsMissing(out1)) trouble = new System.ComponentModel.Win32Exception(-out1).Message;
            bool? linked = playback != null && capture != null ? alsa.Link(playback, capture) : null;
            return new ProbeReport(name, SoundCards.StableName(name), playback != null ? alsa.Report(playback) : null, capture != null ? alsa.Report(capture) : null, linked, trouble);
        }
        finally
        {
            alsa.Close(playback);
            alsa.Close(capture);
        }
    }

    /// <summary>The report as lines for people.</summary>
    public static IEnumerable<string> Describe(ProbeReport r)
    {
        if (r.Trouble != null) yield return r.Trouble;
        if (r.Output is { } o) yield return "out: " + Describe(o);
        if (r.Input is { } i) yield return "in:  " + Describe(i);
        if (r.Linked is { } linked) yield return linked ? "in and out start together (linked)" : "in and out start one after the other (not linked)";
        if (r.Stable != r.Name) yield return "calibrated as " + r.Stable;
    }

    private static string Describe(DirectionReport d) => string.Create(
        CultureInfo.InvariantCulture,
        $"{d.Channels} channels, {(d.Rates.Count > 0 ? string.Join(", ", d.Rates) : "no usual rate")} Hz, {(d.Formats.Count > 0 ? string.Join(" ", d.Formats) : "no format this host plays")}{(d.Mmap ? "" : ", cannot be mapped (use plughw:)")}{(d.Maps.Count > 0 ? ", as " + string.Join(" or ", d.Maps) : "")}");

    private static bool IsMissing(int error) => error is ENoEnt or ENxIo or ENoDev or EInval;

    // The functions of the library, and what is asked with them.
    private readonly struct Functions(nint library)
    {
        private readonly delegate* unmanaged<void**, byte*, int, int, int> _open = (delegate* unmanaged<void**, byte*, int, int, int>)NativeLibrary.GetExport(library, "snd_pcm_open");
        private readonly delegate* unmanaged<void*, int> _close = (delegate* unmanaged<void*, int>)NativeLibrary.GetExport(library, "snd_pcm_close");
        private readonly delegate* unmanaged<void*, void*, int> _link = (delegate* unmanaged<void*, void*, int>)NativeLibrary.GetExport(library, "snd_pcm_link");
        private readonly delegate* unmanaged<void*, int> _unlink = (delegate* unmanaged<void*, int>)NativeLibrary.GetExport(library, "snd_pcm_unlink");
        private readonly delegate* unmanaged<void**, int> _malloc = (delegate* unmanaged<void**, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_malloc");
        private readonly delegate* unmanaged<void*, void> _free = (delegate* unmanaged<void*, void>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_free");
        private readonly delegate* unmanaged<void*, void*, int> _any = (delegate* unmanaged<void*, void*, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_any");
        private readonly delegate* unmanaged<void*, void*, uint, int> _resample = (delegate* unmanaged<void*, void*, uint, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_set_rate_resample");
        private readonly delegate* unmanaged<void*, void*, int, int> _format = (delegate* unmanaged<void*, void*, int, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_test_format");
        private readonly delegate* unmanaged<void*, void*, int, int> _access = (delegate* unmanaged<void*, void*, int, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_test_access");
        private readonly delegate* unmanaged<void*, void*, uint, int, int> _rate = (delegate* unmanaged<void*, void*, uint, int, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_test_rate");
        private readonly delegate* unmanaged<void*, uint*, int> _channelsMin = (delegate* unmanaged<void*, uint*, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_get_channels_min");
        private readonly delegate* unmanaged<void*, uint*, int> _channelsMax = (delegate* unmanaged<void*, uint*, int>)NativeLibrary.GetExport(library, "snd_pcm_hw_params_get_channels_max");
        private readonly delegate* unmanaged<void*, int**> _maps = (delegate* unmanaged<void*, int**>)NativeLibrary.GetExport(library, "snd_pcm_query_chmaps");
        private readonly delegate* unmanaged<int**, void> _freeMaps = (delegate* unmanaged<int**, void>)NativeLibrary.GetExport(library, "snd_pcm_free_chmaps");
        private readonly delegate* unmanaged<int*, nuint, byte*, int> _printMap = (delegate* unmanaged<int*, nuint, byte*, int>)NativeLibrary.GetExport(library, "snd_pcm_chmap_print");
        private readonly delegate* unmanaged<delegate* unmanaged<byte*, int, byte*, int, byte*, void>, int> _errors =
            (delegate* unmanaged<delegate* unmanaged<byte*, int, byte*, int, byte*, void>, int>)NativeLibrary.GetExport(library, "snd_lib_error_set_handler");

        /// <summary>Keeps the library from writing to standard error what the report says.</summary>
        public void Silence() => _ = _errors(&Quiet);

        public int Open(string name, int stream, void** pcm)
        {
            fixed (byte* n = Encoding.UTF8.GetBytes(name + "\0")) return _open(pcm, n, stream, NonBlock);
        }

        public void Close(void* pcm)
        {
            if (pcm != null) _ = _close(pcm);
        }

        public bool Link(void* a, void* b)
        {
            if (_link(a, b) != 0) return false;
            _ = _unlink(a);
            return true;
        }

        public DirectionReport? Report(void* pcm)
        {
            void* hw;
            if (_malloc(&hw) < 0) return null;
            try
            {
                if (_any(pcm, hw) < 0) return null;
                _ = _resample(pcm, hw, 0);
                uint low, high;
                if (_channelsMin(hw, &low) < 0 || _channelsMax(hw, &high) < 0) (low, high) = (0, 0);
                var formats = new List<string>();
                foreach (var (number, name) in s_formats)
                    if (_format(pcm, hw, number) == 0) formats.Add(name);
                var rates = new List<int>();
                foreach (var rate in s_rates)
                    if (_rate(pcm, hw, (uint)rate, 0) == 0) rates.Add(rate);
                var mmap = _access(pcm, hw, 0) == 0 || _access(pcm, hw, 1) == 0 || _access(pcm, hw, 2) == 0;
                return new DirectionReport(formats, rates, low == high ? Text(low) : high > 1024 ? $"{Text(low)} or more" : $"{Text(low)}-{Text(high)}", mmap, Maps(pcm));
            }
            finally
            {
                _free(hw);
            }
        }

        private static string Text(uint n) => n.ToString(CultureInfo.InvariantCulture);

        private List<string> Maps(void* pcm)
        {
            const int Most = 8, TextBytes = 256;
            var texts = new List<string>();
            var maps = _maps(pcm);
            if (maps == null) return texts;
            var text = stackalloc byte[TextBytes];
            for (var m = maps; *m != null && texts.Count < Most; m++)
                if (_printMap(*m + 1, TextBytes, text) > 0 && Marshal.PtrToStringUTF8((nint)text) is { } map && !texts.Contains(map, StringComparer.Ordinal)) texts.Add(map);
            _freeMaps(maps);
            return texts;
        }
    }

    [UnmanagedCallersOnly]
    private static void Quiet(byte* file, int line, byte* function, int error, byte* format)
    {
    }
}
