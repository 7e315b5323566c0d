// Every fault with every other: counted once with its cause, nothing out of step, playing on by itself, nothing growing.
using SspHost.Abi;
using SspHost.Diagnostics;
using SspHost.Engine.Audio;

namespace SspHost.Engine.Tests.Audio.Faults;

public sealed unsafe class FaultMatrixTests
{
    private const int Seeds = 20;
    private const ulong Millisecond = 1_000_000;

    /// <summary>How the second fault lies to the first.</summary>
    internal enum Relation
    {
        Together,
        Inside,
        RightAfter,
    }

    public static TheoryData<int, int> Pairs()
    {
        var data = new TheoryData<int, int>();
        var kinds = Enum.GetValues<FaultKind>().Length;
        for (var a = 0; a < kinds; a++)
        {
            for (var b = 0; b < kinds; b++) data.Add(a, b);
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Every_pair_of_faults_is_counted_once_each_with_its_cause_and_playing_goes_on(int first, int second)
    {
        using var stage = new Stage();
        foreach (var relation in Enum.GetValues<Relation>())
        {
            for (var seed = 0; seed < Seeds; seed++)
            {
                var random = new Random((seed * 1000) + (first * 100) + (second * 10) + (int)relation);
                stage.Configure(random);
                var a = stage.Make((FaultKind)first, random, odd: true);
                a.At = (100 * Millisecond) + (ulong)random.NextInt64((long)(20 * Millisecond));
                var b = stage.Make((FaultKind)second, random, odd: false);
                b.At = a.At + relation switch
                {
                    Relation.Together => 0,
                    Relation.Inside => (ulong)random.NextInt64(1 + (long)Math.Max(a.For, stage.BufferNs)),
                    _ => a.For + (ulong)random.NextInt64((long)(2 * stage.BufferNs)),
                };
                stage.Play($"{relation}, seed {seed}", a, b);
            }
        }
    }

    [Fact]
    public void A_hundred_faults_in_a_row_are_as_many_incidents_and_leave_nothing_behind()
    {
        using var stage = new Stage();
        for (var seed = 0; seed < 12; seed++)
        {
            var random = new Random(seed);
            stage.Configure(random);
            var faults = new Fault[100];
            var at = 100 * Millisecond;
            for (var i = 0; i < faults.Length; i++)
            {
                // Clock jumps would need a hundred distinct sizes to stay distinguishable: they have the matrix.
                var kind = (FaultKind)random.Next(5);
                if (kind == FaultKind.ClockJump) kind = FaultKind.SlowQuantum;
                faults[i] = stage.Make(kind, random, odd: i % 2 == 0);
                faults[i].For = Math.Min(faults[i].For, 20 * Millisecond);
                faults[i].At = at;
                at += (ulong)random.NextInt64((long)(30 * Millisecond));
            }

            stage.Play($"a hundred, seed {seed}", faults);
        }
    }

    // A loop over a faulty card, and everything that must hold after a script.
    private sealed class Stage : IDisposable
    {
        private const long Frames = 1 << 20;
        private static readonly int[] s_rates = [44_100, 48_000, 50_000, 96_000, 192_000];

        private readonly LoopRig _rig = new(Limits.MaxQuantum);
        private readonly FaultWorld* _world;
        private readonly SimulatedJacks _jacks;
        private readonly WorldQuantum* _render;
        private readonly AudioLoop<FaultyCard, WorldQuantum>* _loop;
        private readonly RecordRing* _ring;
        private readonly List<float> _recorded = [];
        private long _firstFrame, _endFrame;
        private GlitchRepair _repair = new(2, 48_000, _ => { });
        private readonly Fault* _faults;
        private readonly Stop* _stops;
        private readonly Stamp* _stamps;
        private AudioConfig _config;
        private long _used = Frames;
        private string _name = "";

        public Stage()
        {
            _jacks = _rig.Jacks(Frames, 1, 2);
            for (long f = 0; f < Frames; f++) _jacks.Source[f] = -(f + 1);
            _world = _rig.Zeroed<FaultWorld>(1);
            _render = _rig.Zeroed<WorldQuantum>(1);
            _loop = _rig.Zeroed<AudioLoop<FaultyCard, WorldQuantum>>(1);
            _faults = _rig.Zeroed<Fault>(128);
            _stops = _rig.Zeroed<Stop>(FaultWorld.MaxStops);
            _stamps = _rig.Zeroed<Stamp>(FaultWorld.MaxStamps);
            _ring = _rig.Record(1024);
        }

        public ulong BufferNs => (ulong)_world->Buffer * 1_000_000_000 / (ulong)_config.Rate;

        public void Dispose() => _rig.Dispose();

        public void Configure(Random random)
        {
            var quantum = 16 << random.Next(5);
            _config = new AudioConfig
            {
                Rate = s_rates[random.Next(s_rates.Length)],
                Quantum = quantum,
                Period = random.Next(2) == 0 ? quantum : random.Next(8, 700),
                Periods = random.Next(2, 7),
                Inputs = 1,
                Outputs = 2,
            };
            *_world = new FaultWorld
            {
                Time = _rig.Time, Faults = _faults, Stops = _stops, Stamps = _stamps, Jacks = _jacks, Outputs = 2, Rate = _config.Rate, Quantum = quantum,
                Buffer = _config.Period * PacedPointer<ConverterClock>.PeriodsFor(_config.Period, _config.Periods, quantum),
            };
            _world->BaseCost = (ulong)(random.Next(3) * 0.3 * _world->QuantumNs);
            // A clock that begins at 0, one that has run for a month, and two that pass 2^63 and nearly 2^64 meanwhile.
            _world->Began = random.Next(4) switch { 0 => 0, 1 => 2_678_400_000_000_000, 2 => (1UL << 63) - (110 * Millisecond), _ => ulong.MaxValue - 100_000_000_000 };
        }

        public Fault Make(FaultKind kind, Random random, bool odd)
        {
            var fault = new Fault { Kind = kind };
            switch (kind)
            {
                case FaultKind.Unplug:
                    fault.For = (ulong)random.NextInt64(500_000, (long)((random.Next(3) == 0 ? 400UL : 40) * Millisecond));
                    break;
                case FaultKind.Drift:
                    fault.Amount = random.Next(-1000, 1001);
                    break;
                case FaultKind.ClockJump:
                    // Odd and even multiples, so that two of them never cancel out.
                    fault.Leap = (Leap)random.Next(4);
                    fault.Amount = (random.Next(2) == 0 ? 1 : -1) * ((random.Next(100) * 2) + (odd ? 1 : 2)) * 20L * (long)Millisecond;
                    if (fault.Leap is Leap.Repeats or Leap.Missing) fault.For = (ulong)random.NextInt64((long)(60 * Millisecond));
                    break;
                case FaultKind.LateWakeUp:
                    fault.For = (ulong)(random.NextDouble() * 2.5 * BufferNs);
                    break;
                case FaultKind.SlowQuantum:
                    fault.For = (ulong)(random.NextDouble() * (random.Next(2) == 0 ? 2.5 * BufferNs : 2 * _world->QuantumNs));
                    break;
            }

            return fault;
        }

        public void Play(string name, params ReadOnlySpan<Fault> faults)
        {
            _name = $"{name}: quantum {_config.Quantum}, period {_config.Period}, buffer {_world->Buffer}, rate {_config.Rate}, cost {_world->BaseCost}; {string.Join("; ", faults.ToArray())}";
            faults.CopyTo(new Span<Fault>(_faults, faults.Length));
            _world->FaultCount = faults.Length;
            Open();

            var over = 0UL;
            foreach (var f in faults) over = Math.Max(over, f.At + f.For);
            var steps = RunUntil(over + (60 * Millisecond) + (4 * BufferNs));
            var settled = _rig.Status;
            var wakes = *_rig.Histogram(HistogramKind.Wake);
            steps += RunUntil(_world->Now + (200 * Millisecond));
            Check(settled, wakes, steps);
        }

        private void Open()
        {
            _rig.Setup.Quantum = _config.Quantum;
            *_rig.Setup.Status = default;
            *_rig.Setup.LastIncident = 0;
            *_rig.Histogram(HistogramKind.Wake) = default;
            _rig.Time->Now = _world->Began;
            for (var j = 0; j < 2; j++) new Span<float>(_jacks.Played + (j * Frames), (int)_used).Fill(float.NaN);
            *_render = new WorldQuantum { World = _world };
            _recorded.Clear();
            _repair = new GlitchRepair(2, _config.Rate, frames => _recorded.AddRange(frames.Span));
            var card = new FaultyCard(_world, new SimulatedCard<ConverterClock>(new ConverterClock(_world), _config, _jacks));
            *_loop = new(card, _render, _rig.Setup);
            Assert.Equal(_world->Buffer, card.Facts.BufferFrames);
            Assert.True(_loop->Begin());
        }

        private ulong RunUntil(ulong time)
        {
            ulong steps = 0;
            for (; _world->Now < time; steps++)
            {
                Assert.True(_loop->Step(), _name);
                Drain();
            }

            return steps;
        }

        // As the recorder does.
        private void Drain()
        {
            var interleaved = new float[2 * Limits.MaxQuantum];
            for (; _ring->Head != _ring->Tail; _ring->Head++)
            {
                var block = RecordRing.Block(_ring, _ring->Head, 2, _ring->Capacity);
                var from = (float*)(block + 1);
                if (_recorded.Count == 0 && _repair.Frames == 0) _firstFrame = (long)block->Frame;
                _endFrame = (long)block->Frame + block->Frames;
                for (var i = 0; i < block->Frames; i++) (interleaved[2 * i], interleaved[(2 * i) + 1]) = (from[i], from[block->Frames + i]);
                _ = _repair.Take(block->Start, block->Frame, block->Time, interleaved.AsSpan(0, 2 * block->Frames));
            }
        }

        // Each frame of the recording is the one that belongs there, silence where frames are missing, and at most a millisecond of fade between.
        private void CheckRecording(List<Notice> dropouts)
        {
            _repair.Finish();
            var first = _firstFrame;
            Same(0UL, _ring->Dropped, "blocks of the recording dropped");
            Same(2 * _repair.Frames, _recorded.Count, "frames of the recording");
            Same(_endFrame - first, _repair.Frames, "length of the recording, by the card's frames");
            var fade = _config.Rate / 1000;
            var certain = new bool[_repair.Frames];
            Array.Fill(certain, true);
            foreach (var gap in _repair.Gaps)
            {
                Same(false, gap.Restart, "a restart");
                Same((long)gap.EngineFrame - first, gap.At, "where a gap lies");
                Assert.True(dropouts.Exists(d => Explains(d, gap)), $"{_name}: the gap at {gap.EngineFrame} is no dropout's");
                for (var i = 0; i < gap.Frames; i++) Same((0f, 0f), (_recorded[(int)(2 * (gap.At + i))], _recorded[(int)(2 * (gap.At + i)) + 1]), $"silence in the gap at {gap.At}");
                for (var i = Math.Max(0, gap.At - fade); i < Math.Min(_repair.Frames, gap.At + gap.Frames + fade); i++) certain[i] = false;
            }

            for (var i = 0; i < _repair.Frames; i++)
            {
                if (certain[i] && _recorded[2 * i] != first + i + 1) Assert.Fail($"{_name}: frame {i} of the recording is {_recorded[2 * i]}, expected {first + i + 1}");
                if (!certain[i] && !(_recorded[2 * i] >= 0 && _recorded[2 * i] <= first + i + 1)) Assert.Fail($"{_name}: frame {i} of a fade is {_recorded[2 * i]}");
            }
        }

        // A dropout by its first frame; an absence also what is skipped at its end, when the card that is back is waited for.
        private static bool Explains(Notice dropout, Gap gap) => dropout.Frame == gap.EngineFrame
            || (dropout.B == (long)DropoutCause.Unplugged && gap.EngineFrame - dropout.Frame < (ulong)dropout.A);

        private void Check(in AudioStatus settled, in Histogram wakes, ulong steps)
        {
            var s = _rig.Status;
            var w = _world;
            Assert.True(w->Running, _name);
            Same((0, 0), (w->Disagreements, w->Misaligned), "card and world agree, each quantum got the card's frame");

            // (a) Every incident once, with its cause.
            var notices = _rig.TakeNotices();
            var dropouts = notices.Where(n => n.Kind == NoticeKind.Dropout).ToList();
            Same((ulong)w->StopCount, s.Dropouts, "dropouts");
            Same((ulong)w->Late, s.Late, "late");
            Same((ulong)Leaps(), s.ClockJumps, "clock jumps");
            Same(w->StopCount, dropouts.Count, "dropout notices");
            Same(s.Dropouts + s.Late + s.ClockJumps, *_rig.Setup.LastIncident, "incident numbers");
            for (var i = 0; i < w->StopCount; i++)
            {
                Same(w->Stops[i].Frames, dropouts[i].A, $"frames of dropout {i}");
                var cause = (DropoutCause)dropouts[i].B;
                var (late, slow) = (w->Stops[i].LateNs, w->Stops[i].SlowNs);
                if (w->Stops[i].Cause != DropoutCause.Unknown) Same(w->Stops[i].Cause, cause, $"cause of dropout {i}");
                else if (late == 0) Same(DropoutCause.SlowRender, cause, $"cause of dropout {i}");
                else if (slow == 0) Same(DropoutCause.LateWakeUp, cause, $"cause of dropout {i}");
                else Assert.True(cause is DropoutCause.SlowRender or DropoutCause.LateWakeUp, _name);
                Same(cause == DropoutCause.SlowRender ? 5 : -1, dropouts[i].Slot, "the module is named where one was slow");
            }

            CheckRecording(dropouts);
            var absences = notices.Where(n => n.Kind == NoticeKind.DeviceAway).Select(n => n.Incident);
            Same(true, absences.SequenceEqual(dropouts.Where(n => n.B == (long)DropoutCause.Unplugged).Select(n => n.Incident)), "an absence begins and ends as one incident");
            var others = notices.Where(n => n.Kind != NoticeKind.DeviceAway).ToList();
            Same(others.Count, others.Select(n => n.Incident).Distinct().Count(), "numbers are given once");

            // (b) What the converter played: each frame the one that belongs there, or silence that was counted.
            var end = (long)w->Position + w->Buffer;
            long silent = 0;
            for (long f = 0; f < end; f++)
            {
                var v = _jacks.Played[f];
                if (float.IsNaN(v))
                {
                    if (f >= w->Buffer) silent++;
                    continue;
                }

                if (v != f - w->Buffer + 1 || _jacks.Played[Frames + f] != -(f - w->Buffer + 1)) Assert.Fail($"{_name}: frame {f} played {v}");
            }

            Same(true, float.IsNaN(_jacks.Played[end]), "nothing is played ahead of its time");
            Same((ulong)silent, s.LostFrames, "lost frames");
            Same(w->Position, s.Frames + s.LostFrames, "played and lost are all");
            _used = end;

            // (c) Quiet again: nothing late, nothing lost, nobody away.
            Same((settled.Dropouts, settled.Late, settled.ClockJumps, settled.LostFrames, 0), (s.Dropouts, s.Late, s.ClockJumps, s.LostFrames, s.Away), "quiet");
            var quiet = _rig.Histogram(HistogramKind.Wake)->Since(wakes);
            for (var b = Histogram.BucketOf(25_000); b < Histogram.Buckets; b++) Same(0UL, quiet.Counts[b], $"a wake-up {Histogram.LowerBound(b)} ns late in the quiet");

            // (d) Nothing spins: at most one look at the card for each quantum, and one for each thing that happened.
            Same(true, steps <= (2 * w->Position / (ulong)w->Quantum) + 200, "steps");
        }

        // By what the stamps said: missing for a while, away from the last base, or settled on a new one.
        private int Leaps()
        {
            var (count, missing, off, strange) = (0, false, 0L, 0L);
            for (var i = 0; i < _world->StampCount; i++)
            {
                var stamp = _stamps[i];
                if (stamp.Missing && !missing) count++;
                missing = stamp.Missing;
                if (missing) continue;
                if (stamp.Off != off && stamp.Off != strange) (count, strange) = (count + 1, stamp.Off);
                else if (stamp.Off != off) (off, strange) = (stamp.Off, stamp.Off);
                else strange = off;
            }

            return count;
        }

        private void Same<T>(T expected, T actual, string what)
        {
            if (!EqualityComparer<T>.Default.Equals(expected, actual)) Assert.Fail($"{what}: expected {expected}, found {actual}\n{_name}");
        }
    }
}
