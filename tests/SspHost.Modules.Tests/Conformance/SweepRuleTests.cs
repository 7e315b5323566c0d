// The rule about swept knobs judged by modules that click, each in a way that is heard, and by ones that do not.
using SspHost.Abi;
using SspHost.Dsp;
using SspHost.Engine.Graph;

namespace SspHost.Modules.Tests;

public class SweepRuleTests
{
    public SweepRuleTests()
    {
        var registry = new ModuleRegistry().Add<Smooth>().Add<Blocked>().Add<Jump>().Add<BlockedJump>().Add<Zipper>().Add<BlockedZipper>().Add<Tick>();
        Subjects.Add(registry.Descriptors, registry.Entries);
    }

    [Theory]
    [InlineData("a-smooth")]
    [InlineData("a-blocked")]
    public void A_module_whose_gain_moves_on_a_line_keeps_it_with_and_without_a_DC_blocker(string id) =>
        Rules.A_swept_knob_makes_no_step_that_standing_knobs_do_not_make(id);

    [Theory]
    [InlineData("a-jump")]
    [InlineData("a-blocked-jump")]
    [InlineData("a-zipper")]
    [InlineData("a-blocked-zipper")]
    [InlineData("a-tick")]
    public void A_module_that_clicks_breaks_it_behind_a_DC_blocker_too(string id)
    {
        var broken = Assert.Throws<ConformanceException>(() => Rules.A_swept_knob_makes_no_step_that_standing_knobs_do_not_make(id));
        Assert.Contains($"{id}.gain: output out makes a step of", broken.Message, StringComparison.Ordinal);
    }

    // How a gain gets from grid point to grid point.
    private enum Way
    {
        Line,
        Zipper,
        Jump,
        Tick,
    }

    // In by a gain, and by a high-pass of 5 Hz.
    private static unsafe void Play(Way way, bool blocked, ref OnePole blocker, in ProcessContext context)
    {
        var cut = OnePole.Coefficient(5f, context.SampleRate);
        for (var i = 0; i < context.Frames; i++)
        {
            var (segment, frame) = (i / Limits.Grid, i % Limits.Grid);
            var (from, to) = (context.Param(0, segment), context.Param(0, segment + 1));
            var gain = way == Way.Line || way == Way.Tick ? from + ((to - from) * frame / Limits.Grid) : from;

            // Less than a hundredth of a whole gain, where the knob passes a half.
            if (way == Way.Jump) gain = from < 0.5f ? 0.5f : 0.508f;
            if (way == Way.Tick && from < 0.5f && to >= 0.5f && frame == 0) gain += 0.008f;
            var y = context.In(0)[i] * gain;
            context.Out(0)[i] = blocked ? y - blocker.LowPass(y, cut) : y;
        }
    }

    private static ModuleDescriptor Gain(string id) => new()
    {
        Id = id,
        Name = "Gain",
        Family = "Test",
        Text = "A gain.",
        Inputs = [new PortDescriptor("in", "In", "Sound.", ChannelRule.Fixed)],
        Outputs = [new PortDescriptor("out", "Out", "Sound.", ChannelRule.Fixed)],
        Parameters = [new ParameterDescriptor("gain", "Gain", "", 0f, 1f, 1f, ParameterCurve.Linear, "Gain.")],
    };

    private struct Smooth : IModule<Smooth>
    {
        private OnePole _blocker;

        public static ModuleDescriptor Describe() => Gain("a-smooth");

        public static void Construct(ref Smooth self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
        {
        }

        public static void Reset(ref Smooth self) => self._blocker = default;

        public static ProcessResult Process(ref Smooth self, in ProcessContext context)
        {
            Play(Way.Line, false, ref self._blocker, in context);
            return ProcessResult.Continue;
        }
    }

    private struct Blocked : IModule<Blocked>
    {
        private OnePole _blocker;

        public static ModuleDescriptor Describe() => Gain("a-blocked");

        public static void Construct(ref Blocked self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
        {
        }

        public static void Reset(ref Blocked self) => self._blocker = default;

        public static ProcessResult Process(ref Blocked self, in ProcessContext context)
        {
            Play(Way.Line, true, ref self._blocker, in context);
            return ProcessResult.Continue;
        }
    }

    private struct Jump : IModule<Jump>
    {
        private OnePole _blocker;

        public static ModuleDescriptor Describe() => Gain("a-jump");

        public static void Construct(ref Jump self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
        {
        }

        public static void Reset(ref Jump self) => self._blocker = default;

        public static ProcessResult Process(ref Jump self, in ProcessContext context)
        {
            Play(Way.Jump, false, ref self._blocker, in context);
            return ProcessResult.Continue;
        }
    }

    private struct BlockedJump : IModule<BlockedJump>
    {
        private OnePole _blocker;

        public static ModuleDescriptor Describe() => Gain("a-blocked-jump");

        public static void Construct(ref BlockedJump self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
        {
        }

        public static void Reset(ref BlockedJump self) => self._blocker = default;

        public static ProcessResult Process(ref BlockedJump self, in ProcessContext context)
        {
            Play(Way.Jump, true, ref self._blocker, in context);
            return ProcessResult.Continue;
        }
    }

    private struct Zipper : IModule<Zipper>
    {
        private OnePole _blocker;

        public static ModuleDescriptor Describe() => Gain("a-zipper");

        public static void Construct(ref Zipper self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
        {
        }

        public static void Reset(ref Zipper self) => self._blocker = default;

        public static ProcessResult Process(ref Zipper self, in ProcessContext context)
        {
            Play(Way.Zipper, false, ref self._blocker, in context);
            return ProcessResult.Continue;
        }
    }

    private struct BlockedZipper : IModule<BlockedZipper>
    {
        private OnePole _blocker;

        public static ModuleDescriptor Describe() => Gain("a-blocked-zipper");

        public static void Construct(ref BlockedZipper self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
        {
        }

        public static void Reset(ref BlockedZipper self) => self._blocker = default;

        public static ProcessResult Process(ref BlockedZipper self, in ProcessContext context)
        {
            Play(Way.Zipper, true, ref self._blocker, in context);
            return ProcessResult.Continue;
        }
    }

    private struct Tick : IModule<Tick>
    {
        private OnePole _blocker;

        public static ModuleDescriptor Describe() => Gain("a-tick");

        public static void Construct(ref Tick self, in InstanceSetup setup, ref InstanceMemory memory, ref ModuleTiming timing)
        {
        }

        public static void Reset(ref Tick self) => self._blocker = default;

        public static ProcessResult Process(ref Tick self, in ProcessContext context)
        {
            Play(Way.Tick, false, ref self._blocker, in context);
            return ProcessResult.Continue;
        }
    }
}
