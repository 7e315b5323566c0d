// Lays a module and all it needs out in one arena and plays it: no heap, no descriptor, no runtime, so that it links with two stubs.
using System.Runtime.InteropServices;
using SspHost.Abi;
using SspHost.Modules;

namespace SspHost.Kernels;

/// <summary>
/// Where everything lies in the arena. The arena lies at the same address in every process that uses an image of it, so that pointers stay valid.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public unsafe struct Stage
{
    private const int AssetFrames = 16_384;
    private const float Unit = 1f / (1 << 23);

    private Score _score;
    private byte* _self, _next, _end;
    private void* _shared;
    private Signal* _inputs;
    private Signal* _outputs;
    private Asset** _assets;
    private ProcessContext _context;
    private WorkJob _job;
    private fixed ulong _pending[Limits.MaxInstances / 64];

    /// <summary>Quanta played so far.</summary>
    public int Played;

    /// <summary>Samples of the last quantum: <see cref="Score.OutputFloats"/> an output.</summary>
    public float* Output;

    /// <summary>Makes the instance in an arena of zeros. False: it is too small.</summary>
    public static bool Prepare(Stage* stage, in Score score, long arenaBytes)
    {
        stage->_score = score;
        stage->_next = (byte*)stage + ((sizeof(Stage) + 63) & ~63);
        stage->_end = (byte*)stage + arenaBytes;
        var visitor = new Maker(stage, score.Module);
        Catalog.VisitAll(ref visitor);
        return visitor.Done;
    }

    /// <summary>Plays so many quanta; false past the last that inputs were prepared for.</summary>
    public static bool Play(Stage* stage, int quanta)
    {
        if (stage->Played + quanta > stage->_score.Quanta) return false;
        var visitor = new Player(stage, stage->_score.Module, quanta);
        Catalog.VisitAll(ref visitor);
        return true;
    }

    private byte* Take(long bytes)
    {
        var block = _next;
        var size = (bytes + 63) & ~63L;
        if (size > _end - _next) return null;
        _next += size;
        return block;
    }

    // Whole numbers turned into volts: exactly the same on every processor. Noise, ramps and gates, another at each port and channel.
    private static void Fill(float* samples, int frames, uint lane)
    {
        var noise = (lane * 2654435761u) + 12345u;
        var kind = (noise >> 9) % 3u;
        for (var i = 0; i < frames; i++)
        {
            noise = (noise * 1664525u) + 1013904223u;
            samples[i] = kind switch
            {
                0 => 4f * ((int)(noise >> 8) - (1 << 23)) * Unit,
                1 => (((i + (int)(lane * 37)) / 173) & 1) == 0 ? 10f : 0f,
                _ => 5f * ((int)(((uint)i * ((lane * 60_000_011u) + 70_000_000u)) >> 8) - (1 << 23)) * Unit,
            };
        }
    }

    private bool MakePorts()
    {
        var frames = _score.Quantum * _score.Quanta;
        _inputs = (Signal*)Take((_score.Inputs + 1) * sizeof(Signal));
        _outputs = (Signal*)Take((_score.Outputs + 1) * sizeof(Signal));
        Output = (float*)Take((_score.Outputs + 1L) * _score.OutputFloats * sizeof(float));
        var parameters = (float*)Take((_score.Parameters + 1L) * Limits.GridPoints * sizeof(float));
        var telemetry = (float*)Take((_score.TelemetryFloats + 1L) * sizeof(float));
        var silence = (float*)Take(Limits.MaxChannels * Limits.MaxQuantum * sizeof(float));
        _assets = (Asset**)Take(Limits.MaxAssets * sizeof(nint));
        if (_assets == null) return false;
        for (var p = 0; p < _score.Inputs; p++)
        {
            var data = (float*)Take((long)_score.Channels * frames * sizeof(float));
            if (data == null) return false;
            for (var c = 0; c < _score.Channels; c++) Fill(data + ((long)c * frames), frames, (uint)((p * 16) + c));
            _inputs[p] = new Signal { Data = data, Channels = _score.Channels, Stride = frames, Flags = SignalFlags.Connected };
        }

        for (var p = 0; p < _score.Outputs; p++)
        {
            _outputs[p] = new Signal
            {
                Data = Output + (p * _score.OutputFloats), Channels = _score.OutputChannels[p], Stride = _score.Quantum, Flags = SignalFlags.Connected,
            };
        }

        for (var p = 0; p < _score.Parameters; p++)
        {
            for (var g = 0; g < Limits.GridPoints; g++) parameters[(p * Limits.GridPoints) + g] = _score.Values[p];
        }

        _context = new ProcessContext
        {
            Inputs = _inputs,
            Outputs = _outputs,
            Params = parameters,
            Telemetry = telemetry,
            Assets = _assets,
            Silence = silence,
            Key = 77,
            Frames = _score.Quantum,
            SampleRate = _score.Rate,
            Slot = 5,
        };
        return true;
    }

    private Asset* MakeAsset()
    {
        var block = Take(64 + (2 * AssetFrames * sizeof(float)));
        if (block == null) return null;
        var asset = (Asset*)block;
        *asset = new Asset { DataOffset = 64, Frames = AssetFrames, Stride = AssetFrames, Channels = 2, Rate = _score.Rate, Root = float.NaN };
        for (var c = 0; c < 2; c++)
        {
            Fill(Asset.Channel(asset, c), AssetFrames, (uint)(2 + (c * 3)));
            for (var i = 0; i < AssetFrames; i++) Asset.Channel(asset, c)[i] *= 0.1f;
        }

        return asset;
    }

    private struct Maker(Stage* stage, int wanted) : IModuleVisitor
    {
        private int _at;

        public bool Done { get; private set; }

        public void Visit<T>() where T : unmanaged, IModule<T>
        {
            if (_at++ == wanted) Done = Make<T>(stage);
        }

        private static bool Make<T>(Stage* stage) where T : unmanaged, IModule<T>
        {
            var rate = stage->_score.Rate;
            var setup = new InstanceSetup { SampleRate = rate, Quantum = stage->_score.Quantum, Settings = stage->_score.Settings, Seed = 99 };
            var sharedBytes = T.SharedBytes(rate);
            if (sharedBytes > 0)
            {
                stage->_shared = stage->Take(sharedBytes);
                if (stage->_shared == null) return false;
                T.BuildShared(stage->_shared, rate);
            }

            setup.Shared = stage->_shared;
            Requirements need = default;
            T.Require(in setup, ref need);
            stage->_self = stage->Take(sizeof(T));
            var memory = stage->Take(need.Bytes);
            if (memory == null || !stage->MakePorts()) return false;
            var blocks = new InstanceMemory(memory, need.Bytes);
            ModuleTiming timing = default;
            ref var self = ref *(T*)stage->_self;
            T.Construct(ref self, in setup, ref blocks, ref timing);
            T.Reset(ref self);
            for (var slot = 0; slot < stage->_score.AssetSlots; slot++)
            {
                var asset = stage->MakeAsset();
                if (asset == null) return false;
                stage->_assets[slot] = asset;
                T.AssetChanged(ref self, slot, asset);
            }

            return !blocks.Overdrawn;
        }
    }

    private struct Player(Stage* stage, int wanted, int quanta) : IModuleVisitor
    {
        private int _at;

        public void Visit<T>() where T : unmanaged, IModule<T>
        {
            if (_at++ == wanted) Play<T>(stage, quanta);
        }

        private static void Play<T>(Stage* stage, int quanta) where T : unmanaged, IModule<T>
        {
            ref var self = ref *(T*)stage->_self;
            var context = &stage->_context;
            context->Job = &stage->_job;
            context->WorkPending = stage->_pending;
            for (var q = 0; q < quanta; q++)
            {
                T.Process(ref self, in *context);
                stage->Played++;
                context->Time += (ulong)stage->_score.Quantum;
                for (var p = 0; p < stage->_score.Inputs; p++) stage->_inputs[p].Data += stage->_score.Quantum;
                if (stage->_job.State != (int)WorkState.Requested) continue;
                T.Work(ref self, ref stage->_job);
                stage->_job.State = (int)WorkState.Replied;
            }
        }
    }
}
