// A sound device as libasound opened it: its two directions, and how they are started and stopped together.
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using SspHost.Abi;
using SspHost.Engine.Threads;

namespace SspHost.Engine.Audio;

/// <summary>Playback, capture or both. Opened and closed by the steward, since that allocates and locks; run by an <see cref="AlsaCard"/>.</summary>
internal unsafe struct AlsaDevice
{
    private const int ENoEnt = 2, ENxIo = 6, ENoDev = 19, EInval = 22;

    internal AlsaPcm Playback, Capture;

    /// <summary>The device as it runs.</summary>
    internal CardFacts Facts;

    /// <summary>Whether capture starts and stops with playback by the device itself.</summary>
    internal bool IsLinked;

    /// <summary>Input jacks with no channel behind them, as a set.</summary>
    internal uint Deaf;

    /// <summary>Frames by which the two directions may seem apart without being so.</summary>
    internal long Slack;

    /// <summary>Whether it is open.</summary>
    internal readonly bool IsOpen => Playback.IsOpen || Capture.IsOpen;

    /// <summary>Whether each direction is started and stopped on its own.</summary>
    internal readonly bool BothUnlinked => Playback.IsOpen && Capture.IsOpen && !IsLinked;

    /// <summary>The direction that sets the pace.</summary>
    [UnscopedRef]
    internal readonly ref readonly AlsaPcm Master
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => ref Playback.IsOpen ? ref Playback : ref Capture;
    }

    /// <summary>See <see cref="AlsaCard.Open(AudioConfig*, out AlsaCard, out AlsaStep)"/>. [steward]</summary>
    internal static int Open(AudioConfig* config, int onlyFormat, out AlsaDevice device, out AlsaStep step)
    {
        device = default;
        step = AlsaStep.Library;
        if (!AlsaLibrary.TryLoad()) return ENoEnt;

        config->Device[AudioConfig.DeviceBytes - 1] = config->CaptureDevice[AudioConfig.DeviceBytes - 1] = 0;
        var buffer = config->Period * PacedPointer<MonotonicClock>.PeriodsFor(config->Period, config->Periods, config->Quantum);
        AlsaPcm playback = default, capture = default;
        var wish = new AlsaWish
        {
            Name = config->Device,
            Stream = AlsaLibrary.Playback,
            Rate = config->Rate,
            Period = config->Period,
            Buffer = buffer,
            Quantum = config->Quantum,
            OnlyFormat = onlyFormat,
            Jacks = config->Outputs,
            Channels = config->OutputChannels,
            FullScale = config->OutputFullScale,
            Zero = config->OutputZero,
            Hold = config->HoldOutputs,
        };
        var error = playback.Open(in wish, out step);
        if (error == 0 && playback.BufferFrames < config->Quantum + Math.Max(playback.Period, config->Quantum))
        {
            step = AlsaStep.Buffer; // cannot hold a quantum that plays and one that is rendered
            error = EInval;
        }

        // Only a device that has no outputs is listened to alone: one that is taken, or cannot be set up, is an error to be told.
        if (error != 0 && (config->Inputs == 0 || step != AlsaStep.Open || !IsMissing(error)))
        {
            playback.Close();
            return error;
        }

        var named = config->CaptureDevice[0] != 0;
        if (config->Inputs > 0)
        {
            wish.Name = named ? config->CaptureDevice : config->Device;
            wish.Stream = AlsaLibrary.Capture;
            if (playback.IsOpen) (wish.Rate, wish.Period, wish.Buffer) = (playback.Rate, playback.Period, playback.BufferFrames);
            wish.Jacks = config->Inputs;
            wish.Channels = config->InputChannels;
            wish.FullScale = config->InputFullScale;
            wish.Zero = config->InputZero;
            var deaf = OpenCapture(ref capture, in playback, in wish, out var captureStep);
            if (deaf != 0 && (named || !playback.IsOpen))
            {
                playback.Close();
                if (named) (error, step) = (deaf, AlsaStep.CaptureDevice);
                else if (!IsMissing(deaf)) (error, step) = (deaf, captureStep);
                return error;
            }
        }

        device.Playback = playback;
        device.Capture = capture;
        device.Facts = FactsOf(config, in playback, in capture);
        device.IsLinked = TryLink(in playback, in capture);
        device.Deaf = (uint)((1UL << device.Facts.Inputs) - 1);
        for (var c = 0; capture.IsOpen && c < capture.Channels; c++)
            if (capture.JackOf(c) is >= 0 and var jack) device.Deaf &= ~(1u << jack);
        device.Slack = device.Facts.Period + (config->Quantum / 2); // the two tell where they are once a period, and not at the same moment
        step = AlsaStep.None;
        return 0;
    }

    private static bool IsMissing(int error) => error is ENoEnt or ENxIo or ENoDev or EInval;

    private static int OpenCapture(ref AlsaPcm capture, in AlsaPcm playback, in AlsaWish wish, out AlsaStep step)
    {
        var error = capture.Open(in wish, out step);
        if (error != 0) return error;
        if (playback.IsOpen && capture.Rate != playback.Rate) (error, step) = (EInval, AlsaStep.Rate);
        else if (capture.BufferFrames < (playback.IsOpen ? playback.BufferFrames : wish.Quantum + Math.Max(capture.Period, wish.Quantum)))
            (error, step) = (EInval, AlsaStep.Buffer); // it would overrun before playback does
        if (error != 0) capture.Close();
        return error;
    }

    private static bool TryLink(in AlsaPcm playback, in AlsaPcm capture) =>
        playback.IsOpen && capture.IsOpen && AlsaLibrary.Link(playback.Handle, capture.Handle) == 0;

    private static CardFacts FactsOf(AudioConfig* config, in AlsaPcm playback, in AlsaPcm capture)
    {
        var (rate, period, buffer) = playback.IsOpen ? (playback.Rate, playback.Period, playback.BufferFrames) : (capture.Rate, capture.Period, capture.BufferFrames);
        return new CardFacts
        {
            Rate = rate,
            Period = period,
            Periods = buffer / period,
            BufferFrames = buffer,
            Inputs = capture.IsOpen ? Jacks(in capture, config->Inputs) : 0,
            Outputs = playback.IsOpen ? Jacks(in playback, config->Outputs) : 0,
            RealTime = true,
        };
    }

    // Up to the last jack that has a channel.
    private static int Jacks(in AlsaPcm pcm, int wanted)
    {
        var jacks = 0;
        for (var c = 0; c < pcm.Channels; c++) jacks = Math.Max(jacks, pcm.JackOf(c) + 1);
        return Math.Min(jacks, wanted);
    }

    /// <summary>
    /// Prepares, fills the buffer with what nobody rendered and starts; 0 or -errno. Unlinked, capture starts first: then it never has less.
    /// [audio-thread]
    /// </summary>
    /// <param name="startedAt">CLOCK_MONOTONIC in ns.</param>
    internal int Restart(out ulong startedAt)
    {
        RtGuard.Permit(); // a driver starts as it must, a plugin sets timers or asks a server; nothing plays yet
        var error = Begin(out startedAt);
        RtGuard.EndPermit();
        return error;
    }

    private int Begin(out ulong startedAt)
    {
        startedAt = 0;
        Stop();
        var error = AlsaLibrary.Prepare(Master.Handle);
        if (error < 0) return error;
        if (BothUnlinked && (error = AlsaLibrary.Prepare(Capture.Handle)) < 0) return error;

        if (Capture.IsOpen) Capture.ClearUnwritten();
        if (Playback.IsOpen)
        {
            _ = Playback.Available();
            error = Playback.Fill(Facts.BufferFrames);
            if (error < 0) return error;
        }

        if (BothUnlinked && (error = AlsaLibrary.Start(Capture.Handle)) < 0) return error;
        error = AlsaLibrary.Start(Master.Handle);
        if (error < 0) return error;
        startedAt = Master.Triggered(Linux.Now());
        return 0;
    }

    /// <summary>
    /// Writes its buffer once, so that the audio thread takes no fault in memory that has just been mapped. Restart begins anew. [steward]
    /// </summary>
    internal void Touch()
    {
        if (Playback.IsOpen && Playback.Available() >= Facts.BufferFrames) _ = Playback.Fill(Facts.BufferFrames);
    }

    /// <summary>Stops; what is still in the buffer is not played. [audio-thread]</summary>
    internal readonly void Stop()
    {
        if (!IsOpen) return;
        RtGuard.Permit(); // as for a start; nothing plays any more
        _ = AlsaLibrary.Drop(Master.Handle);
        if (BothUnlinked) _ = AlsaLibrary.Drop(Capture.Handle);
        RtGuard.EndPermit();
    }

    /// <summary>Gives it back; harmless when closed. [steward]</summary>
    internal void Close()
    {
        Capture.Close();
        Playback.Close();
    }
}
