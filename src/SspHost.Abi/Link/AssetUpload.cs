// Decoded audio on its way into the region, as a module's asset.
namespace SspHost.Abi.Link;

/// <summary>A recording in a granted block: header, then planar float32, each channel 64-byte aligned.</summary>
public sealed unsafe class AssetUpload : IDisposable
{
    private const int Align = 64;

    private AssetUpload(Grant block) => Block = block;

    /// <summary>The block; <see cref="EngineLink.SetAsset"/> hands it over.</summary>
    public Grant Block { get; }

    /// <summary>
    /// Gets a block for a recording of <paramref name="frames"/> frames. Throws <see cref="EngineRefusedException"/> with the figures
    /// if it does not fit into the region.
    /// </summary>
    public static AssetUpload Create(EngineLink link, int channels, long frames, float rate)
    {
        if (channels is < 1 or > Limits.MaxChannels) throw new ArgumentOutOfRangeException(nameof(channels), channels, $"A recording has 1 to {Limits.MaxChannels} channels.");
        ArgumentOutOfRangeException.ThrowIfNegative(frames);
        if (!(rate > 0) || !float.IsFinite(rate)) throw new ArgumentOutOfRangeException(nameof(rate), rate, "A sample rate is positive.");
        var stride = checked((frames + 15) & ~15L);
        var data = (sizeof(Asset) + Align - 1) & ~(Align - 1);
        var block = link.Allocate(checked(data + (stride * channels * sizeof(float))));
        *(Asset*)block.Pointer = new Asset { DataOffset = data, Frames = frames, Stride = stride, Channels = channels, Rate = rate, Root = float.NaN };
        return new AssetUpload(block);
    }

    /// <summary>Samples of one channel from <paramref name="frame"/> on, to be filled.</summary>
    public Span<float> Channel(int channel, long frame, int count)
    {
        var asset = (Asset*)Block.Pointer;
        if (channel < 0 || channel >= asset->Channels || frame < 0 || count < 0 || frame + count > asset->Frames)
            throw new ArgumentOutOfRangeException(nameof(channel), $"channel {channel}, frames {frame}..{frame + count} of {asset->Channels} x {asset->Frames}");
        return new Span<float>(Asset.Channel(asset, channel) + frame, count);
    }

    /// <summary>Writes interleaved frames at <paramref name="frame"/>.</summary>
    public void WriteInterleaved(long frame, ReadOnlySpan<float> samples)
    {
        var channels = ((Asset*)Block.Pointer)->Channels;
        var count = samples.Length / channels;
        for (var c = 0; c < channels; c++)
        {
            var target = Channel(c, frame, count);
            for (var i = 0; i < count; i++) target[i] = samples[(i * channels) + c];
        }
    }

    /// <summary>
    /// What the file says of its samples: a loop within them (both 0: none), the pitch in V/oct (NaN: unknown), the frames of a wave (0: no table).
    /// </summary>
    public void Describe(long loopStart, long loopEnd, float root, int cycleFrames)
    {
        var asset = (Asset*)Block.Pointer;
        if (loopStart < 0 || loopEnd > asset->Frames || (loopEnd <= loopStart && (loopStart, loopEnd) != (0, 0)))
            throw new ArgumentOutOfRangeException(nameof(loopStart), $"A loop of frames {loopStart} to {loopEnd} of {asset->Frames}.");
        if (cycleFrames < 0 || cycleFrames > asset->Frames) throw new ArgumentOutOfRangeException(nameof(cycleFrames), cycleFrames, $"Waves are no longer than {asset->Frames} frames.");
        (asset->LoopStart, asset->LoopEnd, asset->Root, asset->CycleFrames) = (loopStart, loopEnd, root, cycleFrames);
    }

    /// <summary>Gives the block back unless it was handed over.</summary>
    public void Dispose() => Block.Dispose();
}
