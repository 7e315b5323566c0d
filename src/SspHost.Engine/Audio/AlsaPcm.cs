// One direction of an ALSA device: opened, configured, and its mmap areas read or written sample by sample in address order.
using System.Runtime.CompilerServices;
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

    /// <summary>None of S32, FLOAT, S24, S24_3, S16 in either byte order.</summary>
    Format = 4,

    Rate = 5,
    Channels = 6,
    Period = 7,
    Buffer = 8,

    /// <summary>The device refused the whole configuration.</summary>
    Install = 9,

    Thresholds = 10,
    Prepare = 11,

    /// <summary>The capture device that was named.</summary>
    CaptureDevice = 12,

    /// <summary>A channel map names a channel the device has not got.</summary>
    Map = 13,
}

/// <summary>What is asked of a PCM.</summary>
internal unsafe ref struct AlsaWish
{
    /// <summary>Name of the device, zero-terminated.</summary>
    internal byte* Name;

    /// <summary>Playback or capture.</summary>
    internal int Stream;

    /// <summary>Hz; the nearest the device has is taken.</summary>
    internal int Rate;

    /// <summary>Frames of a period, of the buffer, and those that make a wake-up worth while.</summary>
    internal int Period, Buffer, Quantum;

    /// <summary>SND_PCM_FORMAT_ to insist on, or -1 for the best offered.</summary>
    internal int OnlyFormat;

    /// <summary>Jacks in this direction.</summary>
    internal int Jacks;

    /// <summary>Channel of each jack (see <see cref="AudioConfig.InputChannels"/>), and the jacks' calibration.</summary>
    internal sbyte* Channels;

    /// <inheritdoc cref="Channels"/>
    internal float* FullScale, Zero;

    /// <summary>Output jacks that hold their voltage where nobody rendered.</summary>
    internal uint Hold;
}

/// <summary>A PCM of libasound.</summary>
internal unsafe struct AlsaPcm
{
    private const int BlockFrames = 16; // a divisor of every quantum: codes of a block of 64 channels are 4 KiB of stack
    private const int NoSpace = -32; // EPIPE: what was available is not any more

    private void* _pcm;
    private void* _status;
    private int _format;
    private ChannelMap _map;
    private uint _hold;
    private fixed double _scale[AudioConfig.MaxDeviceChannels]; // codes per volt (playback) or volts per code (capture), by channel
    private fixed double _zero[AudioConfig.MaxDeviceChannels]; // code of 0 V, or volts at code 0
    private fixed float _last[AudioConfig.MaxDeviceChannels]; // volts last played or captured, for whoever holds

    /// <summary>Whether it is open.</summary>
    internal readonly bool IsOpen => _pcm != null;

    /// <summary>The snd_pcm_t.</summary>
    internal readonly void* Handle => _pcm;

    internal int Channels { get; private set; }

    /// <summary>Hz as the device runs.</summary>
    internal int Rate { get; private set; }

    internal int Period { get; private set; }

    internal int BufferFrames { get; private set; }

    /// <summary>SND_PCM_FORMAT_ of the samples.</summary>
    internal readonly int Format => _format;

    /// <summary>Jack behind a channel, or -1.</summary>
    internal readonly int JackOf(int channel) => _map[channel];

    /// <summary>
    /// Opens one direction. 0 or an errno with the step that failed; nothing is left open then. The device's own rate, period and buffer
    /// may differ from those asked.
    /// </summary>
    internal int Open(in AlsaWish wish, out AlsaStep step)
    {
        void* pcm;
        void* status;
        step = AlsaStep.Open;
        var error = -AlsaLibrary.Open(&pcm, wish.Name, wish.Stream, AlsaLibrary.NonBlock); // opening never waits for another program to let go
        if (error != 0) return error;
        this = default;
        _pcm = pcm;
        error = Configure(in wish, ref step);
        if (error == 0) error = SetThresholds((ulong)wish.Quantum, ref step);
        if (error == 0 && (error = -AlsaLibrary.StatusMalloc(&status)) == 0) _status = status;
        if (error == 0)
        {
            step = AlsaStep.None;
            _hold = wish.Hold;
            _map = ChannelMap.For(_pcm, Channels, wish.Channels, wish.Jacks);
            Rescale(wish.FullScale, wish.Zero, wish.Stream != AlsaLibrary.Playback);
            return 0;
        }

        Close();
        return error;
    }

    /// <summary>Closes it; harmless when closed.</summary>
    internal void Close()
    {
        if (_pcm != null) _ = AlsaLibrary.Close(_pcm);
        if (_status != null) AlsaLibrary.StatusFree(_status);
        _pcm = _status = null;
    }

    /// <summary>Frames available, or -errno.</summary>
    internal readonly long Available() => AlsaLibrary.AvailUpdate(_pcm);

    /// <summary>
    /// Frames available, or -errno, and when (CLOCK_MONOTONIC, ns) the hardware was there: by the device's own timestamp, else now.
    /// </summary>
    internal readonly long Available(ulong now, out ulong at)
    {
        const ulong Oldest = 10_000_000_000; // a timestamp of another clock, or of before the start, is none
        at = now;
        var available = AlsaLibrary.AvailUpdate(_pcm);
        if (available < 0) return available;
        ulong stamped;
        Linux.TimeSpec stamp;
        if (AlsaLibrary.HTimestamp(_pcm, &stamped, &stamp) < 0 || (long)stamped != available) return available; // it moved on meanwhile: looked at again soon
        var time = ((ulong)stamp.Seconds * 1_000_000_000) + (ulong)stamp.Nanoseconds;
        if (time > now || now - time > Oldest) return available;
        at = time;
        return available;
    }

    /// <summary>When the device last started or stopped, by its own timestamp; <paramref name="otherwise"/> where it has none.</summary>
    internal readonly ulong Triggered(ulong otherwise)
    {
        const ulong Oldest = 1_000_000_000;
        Linux.TimeSpec stamp;
        if (AlsaLibrary.Status(_pcm, _status) < 0) return otherwise;
        AlsaLibrary.StatusTrigger(_status, &stamp);
        var time = ((ulong)stamp.Seconds * 1_000_000_000) + (ulong)stamp.Nanoseconds;
        return time <= otherwise && otherwise - time < Oldest ? time : otherwise;
    }

    /// <summary>Writes frames of the jacks, silence to channels without one. 0 or -errno; frames must be available.</summary>
    internal int Write(float** jacks, int frames) => _format switch
    {
        AlsaLibrary.FormatS16 => Write<S16>(jacks, frames),
        AlsaLibrary.FormatS24 => Write<S24>(jacks, frames),
        AlsaLibrary.FormatS24Packed => Write<S24Packed>(jacks, frames),
        AlsaLibrary.FormatS32 => Write<S32>(jacks, frames),
        AlsaLibrary.FormatFloat => Write<F32>(jacks, frames),
        AlsaLibrary.FormatS16Big => Write<S16Big>(jacks, frames),
        AlsaLibrary.FormatS24Big => Write<S24Big>(jacks, frames),
        AlsaLibrary.FormatS24PackedBig => Write<S24PackedBig>(jacks, frames),
        AlsaLibrary.FormatS32Big => Write<S32Big>(jacks, frames),
        _ => Write<F32Big>(jacks, frames),
    };

    /// <summary>Writes frames that nobody rendered: each jack's last voltage where it holds, else 0 V.</summary>
    internal int Fill(int frames) => Write(null, frames);

    /// <summary>Reads frames into the jacks; channels without a jack are passed over. 0 or -errno; frames must be available.</summary>
    internal int Read(float** jacks, int frames) => _format switch
    {
        AlsaLibrary.FormatS16 => Read<S16>(jacks, frames),
        AlsaLibrary.FormatS24 => Read<S24>(jacks, frames),
        AlsaLibrary.FormatS24Packed => Read<S24Packed>(jacks, frames),
        AlsaLibrary.FormatS32 => Read<S32>(jacks, frames),
        AlsaLibrary.FormatFloat => Read<F32>(jacks, frames),
        AlsaLibrary.FormatS16Big => Read<S16Big>(jacks, frames),
        AlsaLibrary.FormatS24Big => Read<S24Big>(jacks, frames),
        AlsaLibrary.FormatS24PackedBig => Read<S24PackedBig>(jacks, frames),
        AlsaLibrary.FormatS32Big => Read<S32Big>(jacks, frames),
        _ => Read<F32Big>(jacks, frames),
    };

    /// <summary>Frames for jacks that the device has not got: what each captured last.</summary>
    internal readonly void Repeat(float** jacks, int frames)
    {
        for (var c = 0; c < Channels; c++)
            if (_map[c] is >= 0 and var jack) new Span<float>(jacks[jack], frames).Fill(_last[c]);
    }

    /// <summary>Passes over captured frames without looking at them. 0 or -errno.</summary>
    internal readonly int Skip(long frames)
    {
        while (frames > 0)
        {
            AlsaArea* areas;
            ulong offset, count = (ulong)frames;
            var error = AlsaLibrary.MmapBegin(_pcm, &areas, &offset, &count);
            if (error < 0) return error;
            if (count == 0) return NoSpace;
            var committed = AlsaLibrary.MmapCommit(_pcm, offset, count);
            if (committed <= 0) return committed < 0 ? (int)committed : NoSpace;
            frames -= committed;
        }

        return 0;
    }

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
        var bytes = BytesOf(_format);
        for (var c = 0; c < Channels; c++)
        {
            for (ulong i = 0; i < (ulong)BufferFrames; i++) new Span<byte>(At(areas + c, i), bytes).Clear();
        }
    }

    // Volts become codes block by block in the stack, then go out frame by frame: interleaved areas, which may be uncached, are touched
    // once and in the order of addresses.
    [SkipLocalsInit]
    private int Write<TFormat>(float** jacks, int frames) where TFormat : ISampleFormat
    {
        var codes = stackalloc int[Channels * BlockFrames];
        var at = stackalloc byte*[Channels];
        var step = stackalloc nint[Channels];
        for (var done = 0; done < frames;)
        {
            AlsaArea* areas;
            ulong offset, count = (ulong)(frames - done);
            var error = AlsaLibrary.MmapBegin(_pcm, &areas, &offset, &count);
            if (error < 0) return error;
            if (count == 0) return NoSpace;
            Place(areas, offset, at, step);
            for (var block = 0; block < (int)count; block += BlockFrames)
            {
                var n = Math.Min(BlockFrames, (int)count - block);
                for (var c = 0; c < Channels; c++) Encode<TFormat>(c, jacks, done + block, codes + (c * BlockFrames), n);
                for (var i = 0; i < n; i++)
                {
                    for (var c = 0; c < Channels; c++)
                    {
                        TFormat.Put(at[c], codes[(c * BlockFrames) + i]);
                        at[c] += step[c];
                    }
                }
            }

            var committed = AlsaLibrary.MmapCommit(_pcm, offset, count);
            if (committed <= 0) return committed < 0 ? (int)committed : NoSpace;
            done += (int)committed;
        }

        return 0;
    }

    private void Encode<TFormat>(int channel, float** jacks, int from, int* codes, int count) where TFormat : ISampleFormat
    {
        var jack = _map[channel];
        if (jack < 0)
        {
            new Span<int>(codes, count).Clear();
            return;
        }

        var (scale, zero) = (_scale[channel], _zero[channel]);
        if (jacks != null)
        {
            var volts = jacks[jack] + from;
            Codes.FromVolts<TFormat>(volts, codes, count, scale, zero);
            _last[channel] = volts[count - 1];
            return;
        }

        if ((_hold & (1u << jack)) == 0) _last[channel] = 0;
        new Span<int>(codes, count).Fill(Codes.FromVolts<TFormat>(_last[channel], scale, zero));
    }

    [SkipLocalsInit]
    private int Read<TFormat>(float** jacks, int frames) where TFormat : ISampleFormat
    {
        var codes = stackalloc int[Channels * BlockFrames];
        var at = stackalloc byte*[Channels];
        var step = stackalloc nint[Channels];
        for (var done = 0; done < frames;)
        {
            AlsaArea* areas;
            ulong offset, count = (ulong)(frames - done);
            var error = AlsaLibrary.MmapBegin(_pcm, &areas, &offset, &count);
            if (error < 0) return error;
            if (count == 0) return NoSpace;
            Place(areas, offset, at, step);
            for (var block = 0; block < (int)count; block += BlockFrames)
            {
                var n = Math.Min(BlockFrames, (int)count - block);
                for (var i = 0; i < n; i++)
                {
                    for (var c = 0; c < Channels; c++)
                    {
                        if (_map[c] >= 0) codes[(c * BlockFrames) + i] = TFormat.Get(at[c]);
                        at[c] += step[c];
                    }
                }

                for (var c = 0; c < Channels; c++)
                {
                    if (_map[c] is not (>= 0 and var jack)) continue;
                    var volts = jacks[jack] + done + block;
                    Codes.ToVolts<TFormat>(codes + (c * BlockFrames), volts, n, _scale[c], _zero[c]);
                    _last[c] = volts[n - 1];
                }
            }

            var committed = AlsaLibrary.MmapCommit(_pcm, offset, count);
            if (committed <= 0) return committed < 0 ? (int)committed : NoSpace;
            done += (int)committed;
        }

        return 0;
    }

    private static byte* At(AlsaArea* area, ulong frame) => area->Address + ((area->First + (frame * area->Step)) >> 3);

    private readonly void Place(AlsaArea* areas, ulong offset, byte** at, nint* step)
    {
        for (var c = 0; c < Channels; c++)
        {
            at[c] = At(areas + c, offset);
            step[c] = (nint)(areas[c].Step >> 3);
        }
    }

    /// <summary>Takes the lines of the jacks; one that is not possible (it may be being written) is left as it was.</summary>
    internal void Rescale(float* fullScale, float* zero, bool capture)
    {
        var unit = UnitOf(_format);
        for (var c = 0; c < Channels; c++)
        {
            if (_map[c] is not (>= 0 and var jack)) continue;
            var (full, atZero) = (fullScale[jack], zero[jack]);
            if (!JackScale.IsPossible(full, atZero)) continue;
            var scale = new JackScale(full, atZero);
            (_scale[c], _zero[c]) = capture
                ? (scale.VoltsPerCode(unit), scale.Zero)
                : (scale.CodesPerVolt(unit), scale.CodeOfZero(unit));
        }
    }

    private int Configure(in AlsaWish wish, ref AlsaStep step)
    {
        void* hw;
        step = AlsaStep.Install;
        var error = -AlsaLibrary.HwMalloc(&hw);
        if (error != 0) return error;
        error = -Math.Min(0, AlsaLibrary.HwAny(_pcm, hw));
        var (rate, period, buffer) = ((uint)wish.Rate, (ulong)wish.Period, (ulong)wish.Buffer);
        var channels = (uint)Math.Max(1, Math.Max(wish.Jacks == 0 || wish.Channels[0] == 0 ? wish.Jacks : 0, ChannelMap.Highest(wish.Channels, wish.Jacks)));

        if (error == 0)
        {
            step = AlsaStep.Access;
            _ = AlsaLibrary.HwSetResample(_pcm, hw, 0); // the patch is made for the device's rate; a resampler is latency nobody asked for
            error = -AlsaLibrary.HwSetAccess(_pcm, hw, AlsaLibrary.MmapInterleaved);
            if (error != 0) error = -AlsaLibrary.HwSetAccess(_pcm, hw, AlsaLibrary.MmapNonInterleaved);
            if (error != 0) error = -AlsaLibrary.HwSetAccess(_pcm, hw, AlsaLibrary.MmapComplex);
        }

        if (error == 0)
        {
            step = AlsaStep.Format;
            error = ChooseFormat(hw, wish.OnlyFormat);
        }

        if (error == 0)
        {
            step = AlsaStep.Rate;
            var direction = 0;
            if (AlsaLibrary.HwSetRate(_pcm, hw, rate, 0) != 0) error = -AlsaLibrary.HwSetRateNear(_pcm, hw, &rate, &direction);
        }

        if (error == 0)
        {
            step = AlsaStep.Channels;
            error = -AlsaLibrary.HwSetChannelsNear(_pcm, hw, &channels);
            if (error == 0 && channels > AudioConfig.MaxDeviceChannels) error = 22;
            if (error == 0 && channels < ChannelMap.Highest(wish.Channels, wish.Jacks)) (error, step) = (22, AlsaStep.Map);
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
            (Channels, Period, BufferFrames, Rate) = ((int)channels, (int)period, (int)buffer, (int)rate);
        }

        AlsaLibrary.HwFree(hw);
        return error;
    }

    private int ChooseFormat(void* hw, int onlyFormat)
    {
        foreach (var format in Preferred)
        {
            if ((onlyFormat >= 0 && format != onlyFormat) || AlsaLibrary.HwTestFormat(_pcm, hw, format) != 0) continue;
            _format = format;
            return -AlsaLibrary.HwSetFormat(_pcm, hw, format);
        }

        return 22; // EINVAL
    }

    // Most bits first; S32 is what 24-bit converters speak natively on most boards. The machine's own byte order before the other.
    internal static ReadOnlySpan<byte> Preferred =>
    [
        AlsaLibrary.FormatS32, AlsaLibrary.FormatFloat, AlsaLibrary.FormatS24, AlsaLibrary.FormatS24Packed,
        AlsaLibrary.FormatS32Big, AlsaLibrary.FormatFloatBig, AlsaLibrary.FormatS24Big, AlsaLibrary.FormatS24PackedBig,
        AlsaLibrary.FormatS16, AlsaLibrary.FormatS16Big,
    ];

    private static int BytesOf(int format) => format switch
    {
        AlsaLibrary.FormatS16 or AlsaLibrary.FormatS16Big => 2,
        AlsaLibrary.FormatS24Packed or AlsaLibrary.FormatS24PackedBig => 3,
        _ => 4,
    };

    private static double UnitOf(int format) => format switch
    {
        AlsaLibrary.FormatS16 or AlsaLibrary.FormatS16Big => S16.Unit,
        AlsaLibrary.FormatS32 or AlsaLibrary.FormatS32Big => S32.Unit,
        AlsaLibrary.FormatFloat or AlsaLibrary.FormatFloatBig => F32.Unit,
        _ => S24.Unit,
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
        if (error == 0)
        {
            // A device without timestamps, or with those of another clock, is measured by when we looked.
            _ = AlsaLibrary.SwSetTimestampMode(_pcm, sw, AlsaLibrary.TimestampsOn);
            _ = AlsaLibrary.SwSetTimestampType(_pcm, sw, AlsaLibrary.TimestampsMonotonic);
            error = -AlsaLibrary.SwInstall(_pcm, sw);
        }

        AlsaLibrary.SwFree(sw);
        return error;
    }
}
