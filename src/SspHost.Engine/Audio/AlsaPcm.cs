// One direction of an ALSA device: opened, configured, and its mmap areas read or written sample by sample in address order.
using SspHost.Abi;

namespace SspHost.Engine.Audio;

/// <summary>Where opening a device failed: B of a DeviceFailed reply.</summary>
public enum AlsaStep : int
{
    None = 0,

    /// <summary>libasound.so.2 is missing.</summary>
    Library = 1,

    Open = 2,

    /// <summary>No mmap access.</summary>
    Access = 3,

    /// <summary>None of S32, FLOAT, S24, S24_3LE, S16.</summary>
    Format = 4,

    Rate = 5,
    Channels = 6,
    Period = 7,
    Buffer = 8,

    /// <summary>The device refused the whole configuration.</summary>
    Install = 9,

    Thresholds = 10,
    Prepare = 11,
}

/// <summary>A PCM of libasound.</summary>
internal unsafe struct AlsaPcm
{
    private void* _pcm;
    private int _format;

    /// <summary>Whether it is open.</summary>
    internal readonly bool IsOpen => _pcm != null;

    /// <summary>The snd_pcm_t.</summary>
    internal readonly void* Handle => _pcm;

    internal int Channels { get; private set; }

    internal int Period { get; private set; }

    internal int BufferFrames { get; private set; }

    /// <summary>SND_PCM_FORMAT_ of the samples.</summary>
    internal readonly int Format => _format;

    /// <summary>
    /// Opens one direction. 0 or an errno with the step that failed; nothing is left open then. The device's own period and buffer may
    /// differ from those asked.
    /// </summary>
    /// <param name="name">Zero-terminated.</param>
    /// <param name="stream">Playback or capture.</param>
    /// <param name="rate">Hz, exactly.</param>
    /// <param name="channels">Channels wanted; the nearest number is taken.</param>
    /// <param name="period">Frames.</param>
    /// <param name="buffer">Frames.</param>
    /// <param name="quantum">Frames that make a wake-up worth while.</param>
    /// <param name="onlyFormat">SND_PCM_FORMAT_ to insist on, or -1 for the best offered.</param>
    /// <param name="step">The step that failed.</param>
    internal int Open(byte* name, int stream, int rate, int channels, int period, int buffer, int quantum, int onlyFormat, out AlsaStep step)
    {
        void* pcm;
        step = AlsaStep.Open;
        var error = -AlsaLibrary.Open(&pcm, name, stream, AlsaLibrary.NonBlock); // opening never waits for another program to let go
        if (error != 0) return error;
        _pcm = pcm;
        error = Configure((uint)rate, (uint)channels, (ulong)period, (ulong)buffer, onlyFormat, ref step);
        if (error == 0) error = SetThresholds((ulong)quantum, ref step);
        if (error == 0)
        {
            step = AlsaStep.None;
            return 0;
        }

        Close();
        return error;
    }

    /// <summary>Closes it; harmless when closed.</summary>
    internal void Close()
    {
        if (_pcm != null) _ = AlsaLibrary.Close(_pcm);
        _pcm = null;
    }

    /// <summary>Frames available, or -errno.</summary>
    internal readonly long Available() => AlsaLibrary.AvailUpdate(_pcm);

    /// <summary>Writes frames of the jacks, silence to channels without one. 0 or -errno; frames must be available.</summary>
    internal readonly int Write(float** jacks, int jackCount, int frames) => _format switch
    {
        AlsaLibrary.FormatS16 => Write<S16>(jacks, jackCount, frames),
        AlsaLibrary.FormatS24 => Write<S24>(jacks, jackCount, frames),
        AlsaLibrary.FormatS24Packed => Write<S24Packed>(jacks, jackCount, frames),
        AlsaLibrary.FormatS32 => Write<S32>(jacks, jackCount, frames),
        _ => Write<F32>(jacks, jackCount, frames),
    };

    /// <summary>Reads frames into the jacks; channels without a jack are passed over. 0 or -errno; frames must be available.</summary>
    internal readonly int Read(float** jacks, int jackCount, int frames) => _format switch
    {
        AlsaLibrary.FormatS16 => Read<S16>(jacks, jackCount, frames),
        AlsaLibrary.FormatS24 => Read<S24>(jacks, jackCount, frames),
        AlsaLibrary.FormatS24Packed => Read<S24Packed>(jacks, jackCount, frames),
        AlsaLibrary.FormatS32 => Read<S32>(jacks, jackCount, frames),
        _ => Read<F32>(jacks, jackCount, frames),
    };

    /// <summary>
    /// Silences the buffer of a capturing device made of software, before it starts: `null` "captures" without ever writing, and what it
    /// would hand over is whatever
    /// the memory held before.
    /// </summary>
    internal readonly void ClearUnwritten()
    {
        AlsaArea* areas;
        ulong offset, count = (ulong)BufferFrames;
        if (AlsaLibrary.Type(_pcm) == AlsaLibrary.TypeHw || AlsaLibrary.MmapBegin(_pcm, &areas, &offset, &count) < 0) return;
        var bytes = _format switch { AlsaLibrary.FormatS16 => 2, AlsaLibrary.FormatS24Packed => 3, _ => 4 };
        for (var c = 0; c < Channels; c++)
        {
            for (ulong i = 0; i < (ulong)BufferFrames; i++) new Span<byte>(At(areas + c, i), bytes).Clear();
        }
    }

    private readonly int Write<TFormat>(float** jacks, int jackCount, int frames) where TFormat : ISampleFormat
    {
        for (var done = 0; done < frames;)
        {
            AlsaArea* areas;
            ulong offset, count = (ulong)(frames - done);
            var error = AlsaLibrary.MmapBegin(_pcm, &areas, &offset, &count);
            if (error < 0) return error;
            if (count == 0) return -32; // EPIPE: what was available is not any more
            for (ulong i = 0; i < count; i++) // frame by frame: interleaved areas are touched in the order of addresses
            {
                for (var c = 0; c < Channels; c++)
                    TFormat.Store(At(areas + c, offset + i), c < jackCount ? jacks[c][done + (int)i] * Volts.PerVolt : 0);
            }

            var committed = AlsaLibrary.MmapCommit(_pcm, offset, count);
            if (committed < 0) return (int)committed;
            if (committed == 0) return -32;
            done += (int)committed;
        }

        return 0;
    }

    private readonly int Read<TFormat>(float** jacks, int jackCount, int frames) where TFormat : ISampleFormat
    {
        var channels = Math.Min(Channels, jackCount);
        for (var done = 0; done < frames;)
        {
            AlsaArea* areas;
            ulong offset, count = (ulong)(frames - done);
            var error = AlsaLibrary.MmapBegin(_pcm, &areas, &offset, &count);
            if (error < 0) return error;
            if (count == 0) return -32;
            for (ulong i = 0; i < count; i++)
            {
                for (var c = 0; c < channels; c++) jacks[c][done + (int)i] = TFormat.Load(At(areas + c, offset + i)) * Volts.FullScale;
            }

            var committed = AlsaLibrary.MmapCommit(_pcm, offset, count);
            if (committed < 0) return (int)committed;
            if (committed == 0) return -32;
            done += (int)committed;
        }

        return 0;
    }

    private static byte* At(AlsaArea* area, ulong frame) => area->Address + ((area->First + (frame * area->Step)) >> 3);

    private int Configure(uint rate, uint channels, ulong period, ulong buffer, int onlyFormat, ref AlsaStep step)
    {
        void* hw;
        step = AlsaStep.Install;
        var error = -AlsaLibrary.HwMalloc(&hw);
        if (error != 0) return error;
        error = -Math.Min(0, AlsaLibrary.HwAny(_pcm, hw));

        if (error == 0)
        {
            step = AlsaStep.Access;
            error = -AlsaLibrary.HwSetAccess(_pcm, hw, AlsaLibrary.MmapInterleaved);
            if (error != 0) error = -AlsaLibrary.HwSetAccess(_pcm, hw, AlsaLibrary.MmapNonInterleaved);
            if (error != 0) error = -AlsaLibrary.HwSetAccess(_pcm, hw, AlsaLibrary.MmapComplex);
        }

        if (error == 0)
        {
            step = AlsaStep.Format;
            error = ChooseFormat(hw, onlyFormat);
        }

        if (error == 0)
        {
            step = AlsaStep.Rate;
            error = -AlsaLibrary.HwSetRate(_pcm, hw, rate, 0);
        }

        if (error == 0)
        {
            step = AlsaStep.Channels;
            error = -AlsaLibrary.HwSetChannelsNear(_pcm, hw, &channels);
        }

        if (error == 0)
        {
            step = AlsaStep.Period;
            var direction = 0;
            error = -AlsaLibrary.HwSetPeriodNear(_pcm, hw, &period, &direction);
        }

        if (error == 0)
        {
            step = AlsaStep.Buffer;
            error = -AlsaLibrary.HwSetBufferNear(_pcm, hw, &buffer);
        }

        if (error == 0)
        {
            step = AlsaStep.Install;
            error = -AlsaLibrary.HwInstall(_pcm, hw);
        }

        if (error == 0)
        {
            var direction = 0;
            error = -AlsaLibrary.HwGetPeriod(hw, &period, &direction);
            if (error == 0) error = -AlsaLibrary.HwGetBuffer(hw, &buffer);
            (Channels, Period, BufferFrames) = ((int)channels, (int)period, (int)buffer);
        }

        AlsaLibrary.HwFree(hw);
        return error;
    }

    private int ChooseFormat(void* hw, int onlyFormat)
    {
        for (var rank = 0; Preferred(rank) >= 0; rank++)
        {
            var format = Preferred(rank);
            if ((onlyFormat >= 0 && format != onlyFormat) || AlsaLibrary.HwTestFormat(_pcm, hw, format) != 0) continue;
            _format = format;
            return -AlsaLibrary.HwSetFormat(_pcm, hw, format);
        }

        return 22; // EINVAL
    }

    // Most bits first; S32 is what 24-bit converters speak natively on most boards.
    private static int Preferred(int rank) => rank switch
    {
        0 => AlsaLibrary.FormatS32,
        1 => AlsaLibrary.FormatFloat,
        2 => AlsaLibrary.FormatS24,
        3 => AlsaLibrary.FormatS24Packed,
        4 => AlsaLibrary.FormatS16,
        _ => -1,
    };

    // Started by hand, stopped by the device once it has nothing to play: that is how an xrun is seen.
    private readonly int SetThresholds(ulong quantum, ref AlsaStep step)
    {
        void* sw;
        ulong boundary;
        step = AlsaStep.Thresholds;
        var error = -AlsaLibrary.SwMalloc(&sw);
        if (error != 0) return error;
        error = -AlsaLibrary.SwCurrent(_pcm, sw);
        if (error == 0) error = -AlsaLibrary.SwGetBoundary(sw, &boundary);
        else boundary = 0;
        if (error == 0) error = -AlsaLibrary.SwSetStartThreshold(_pcm, sw, boundary);
        if (error == 0) error = -AlsaLibrary.SwSetStopThreshold(_pcm, sw, (ulong)BufferFrames);
        if (error == 0) error = -AlsaLibrary.SwSetAvailMin(_pcm, sw, quantum);
        if (error == 0) error = -AlsaLibrary.SwInstall(_pcm, sw);
        AlsaLibrary.SwFree(sw);
        return error;
    }
}
