// Sample data for both sides: made up by name, so that no file is read and every path has a sound of its own.
using System.Runtime.InteropServices;
using SspHost.Abi;

namespace SspHost.EndToEnd.Tests.Changes;

internal static unsafe class Recordings
{
    private static readonly Lock Lock = new();
    private static readonly Dictionary<string, nint> Made = new(StringComparer.Ordinal);

    /// <summary>The recording of a path: a decaying mixture of two sines, one or two channels, half a second.</summary>
    public static nint Of(string path)
    {
        lock (Lock)
        {
            if (Made.TryGetValue(path, out var known)) return known;
            var block = Fill(path, n => (nint)NativeMemory.AlignedAlloc((nuint)n, 64), out _);
            Made[path] = block;
            return block;
        }
    }

    /// <summary>A copy in memory of the caller's choice.</summary>
    public static nint Copy(string path, Func<long, nint> allocate, out long bytes)
    {
        var from = (Asset*)Of(path);
        bytes = from->DataOffset + (from->Stride * from->Channels * sizeof(float));
        var to = allocate(bytes);
        Buffer.MemoryCopy(from, (void*)to, bytes, bytes);
        return to;
    }

    private static nint Fill(string path, Func<long, nint> allocate, out long bytes)
    {
        const int Frames = 24_000;
        var sum = path.Sum(c => c);
        var channels = 1 + (sum & 1);
        bytes = 64 + (Frames * (long)channels * sizeof(float));
        var asset = (Asset*)allocate(bytes);
        *asset = new Asset { DataOffset = 64, Frames = Frames, Stride = Frames, Channels = channels, Rate = 44_100 };
        for (var c = 0; c < channels; c++)
        {
            var data = Asset.Channel(asset, c);
            for (var i = 0; i < Frames; i++)
                data[i] = (float)(Math.Exp(-i / 6000.0) * ((0.6 * Math.Sin(i * (0.02 + (0.0001 * sum)) * (c + 1))) + (0.3 * Math.Sin(i * 0.31))));
        }

        return (nint)asset;
    }
}
