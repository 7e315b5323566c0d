// A score: what a server without a sound card plays (`-N`), bundles with their lengths before them.
using System.Buffers.Binary;
using System.Globalization;

namespace SspHost.Peers.SuperCollider;

internal static class Score
{
    private const int Group = 1000, First = 2000, AtOnce = 50;

    /// <summary>So many synths of one definition, side by side in time order, for so many seconds.</summary>
    /// <param name="file">Where it is written.</param>
    /// <param name="def">The definition, named <paramref name="name"/>.</param>
    /// <param name="name">Its name.</param>
    /// <param name="synths">How many.</param>
    /// <param name="seconds">How long.</param>
    /// <param name="frequency">Parameter "freq" of each, in Hz.</param>
    /// <param name="parallel">In a group whose synths may run at the same time (supernova's).</param>
    public static void Write(string file, SynthDef def, string name, int synths, double seconds, Func<int, double> frequency, bool parallel)
    {
        using var score = File.Create(file);
        Put(score, Osc.Bundle(0, Osc.Message("/d_recv", def.ToBytes()), NewGroup(parallel)));
        for (var i = 0; i < synths; i += AtOnce)
            Put(score, Osc.Bundle(0, [.. Enumerable.Range(i, Math.Min(AtOnce, synths - i)).Select(s => New(name, s, frequency(s)))]));
        Put(score, Osc.Bundle(seconds, Osc.Message("/c_set", 0, 0f))); // the last time in it is its end
    }

    /// <summary>The group that synths are added to.</summary>
    public static byte[] NewGroup(bool parallel) => Osc.Message(parallel ? "/p_new" : "/g_new", Group, 0, 0);

    /// <summary>A synth behind those that are there.</summary>
    public static byte[] New(string name, int number, double frequency) => Osc.Message("/s_new", name, First + number, 1, Group, "freq", (float)frequency);

    /// <summary>Arguments of a server that plays a score into a file.</summary>
    public static string[] Arguments(string server, string score, string sound, int block) =>
    [
        server, "-N", score, "_", sound, "48000", "WAV", "float", "-i", "0", "-o", "1", "-z", block.ToString(CultureInfo.InvariantCulture),
        "-n", "8192", "-m", "262144", "-D", "0",
    ];

    private static void Put(FileStream score, byte[] bundle)
    {
        Span<byte> b = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(b, bundle.Length);
        score.Write(b);
        score.Write(bundle);
    }
}
