// The scope: where a picture begins, what it keeps of peaks, and how it waits.
namespace SspHost.Modules.Tests;

public class ScopeTests
{
    private const int Rate = 48_000, Columns = 256, TraceFloats = 513;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void A_picture_begins_at_the_level_between_two_frames_and_lies_on_the_wave(int edge)
    {
        // 1 ms of a wave of 437 Hz: five columns a frame, of which each lies on the line between two samples of it.
        const double Hertz = 437.0, Level = 1.3;
        using var rig = new Rig("scope") { Input = static (port, _, frame) => port == 0 ? Sine(Hertz, frame) : 0f };
        rig["time"] = 0.001f;
        rig["level"] = (float)Level;
        rig["edge"] = edge;
        for (var picture = 0; picture < 20; picture++)
        {
            rig.Run(331);
            Assert.Equal(0f, rig.Telemetry(0));
            var worst = 0.0;
            for (var column = 0; column < Columns; column++)
            {
                // The wave from the crossing on, in the rising or in the falling half.
                var phase = Math.Asin(Level / 5.0) + (2.0 * Math.PI * Hertz * column / Columns * 0.001);
                var expected = edge == 0 ? 5.0 * Math.Sin(phase) : 5.0 * Math.Sin(Math.PI - Math.Asin(Level / 5.0) + (2.0 * Math.PI * Hertz * column / Columns * 0.001));
                worst = Math.Max(worst, Math.Abs(expected - Least(rig, 0, column)));
                Assert.Equal(Least(rig, 0, column), Greatest(rig, 0, column));
            }

            // A line between two frames misses the arc by (w / rate)^2 / 8 of its height, and the crossing by as much of a frame.
            Assert.True(worst < 0.01, $"{worst} V beside the wave");
        }
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void Pictures_of_a_steady_wave_are_the_same()
    {
        using var rig = new Rig("scope") { Input = static (port, _, frame) => port == 0 ? Sine(1234.5, frame) : port == 1 ? Sine(2469, frame) : 0f };
        rig["time"] = 0.002f;
        rig.Run(2048);
        var first = Picture(rig, 1);
        var worst = 0.0;
        for (var n = 0; n < 30; n++)
        {
            rig.Run(517);
            worst = Math.Max(worst, Picture(rig, 1).Zip(first, static (a, b) => Math.Abs(a - b)).Max());
        }

        // The second trace has twice the frequency: a frame of shaking would be 0.32 rad of it, 1.6 V.
        Quality.AtMost("scope", "steadiness of a picture, in frames of shaking", worst / 1.6, 0.05, "frames");
    }

    [Fact]
    public void No_peak_is_lost_however_slow_the_sweep()
    {
        // One sample of 7 V and one of -6 V in a second of silence, 187 frames a column.
        using var rig = new Rig("scope") { Input = static (port, _, frame) => (port, frame) switch
        {
            (4, 100) => 10f,
            (0, 20_100) => 7f,
            (2, 30_100) => -6f,
            _ => 0f,
        } };
        rig["time"] = 1f;
        rig["source"] = 4;
        rig["mode"] = 1;
        rig["level"] = 1f;
        rig.Run(48_000 + 300);
        Assert.Equal(20_000 * Columns / 48_000, Assert.Single(Enumerable.Range(0, Columns), c => Greatest(rig, 0, c) == 7f));
        Assert.Equal(30_000 * Columns / 48_000, Assert.Single(Enumerable.Range(0, Columns), c => Least(rig, 2, c) == -6f));
        Assert.All(Enumerable.Range(0, Columns), c => Assert.Equal(0f, Least(rig, 0, c)));
    }

    [Fact]
    public void A_slow_sweep_grows_and_says_where_it_is()
    {
        using var rig = new Rig("scope") { Input = static (port, _, _) => port == 0 ? 2f : 0f };
        rig["time"] = 2f;
        rig.Run(4800 + 48_000); // the patience of auto, and half of the picture
        Assert.InRange(rig.Telemetry(0), 254, 258);
        Assert.Equal(2f, Greatest(rig, 0, 126));
        Assert.Equal(0f, Greatest(rig, 0, 130));
    }

    [Fact]
    public void On_normal_it_waits_for_the_level_on_auto_it_does_not_and_hold_keeps_the_picture()
    {
        using var rig = new Rig("scope") { Input = static (port, _, _) => port == 0 ? 2f : 0f };
        rig["mode"] = 1;
        rig["level"] = 5f;
        rig.Run(48_000);
        Assert.Equal(0f, Greatest(rig, 0, 7));
        rig["mode"] = 0;
        rig["hold"] = 1;
        rig.Run(48_000);
        Assert.Equal(0f, Greatest(rig, 0, 7));
        rig["hold"] = 0;
        rig.Run(9600);
        Assert.Equal(2f, Greatest(rig, 0, 7));
    }

    [Fact]
    [Trait("Category", "Quality")]
    public void The_frequency_of_the_source_is_counted()
    {
        var worst = 0.0;
        foreach (var hertz in new[] { 1.7, 55.0, 440.0, 9000.0 })
        {
            using var rig = new Rig("scope", new RigOptions { Quantum = 256 }) { Input = (port, _, frame) => port == 0 ? Sine(hertz, frame) : 0f };
            rig.Run(hertz < 10 ? 96_000 : 36_000);
            worst = Math.Max(worst, Math.Abs(Spectrum.Cents(rig.Telemetry(4 * TraceFloats), hertz)));
        }

        Quality.AtMost("scope", "frequency, 1.7 Hz to 9 kHz", worst, 0.5, "cents");
    }

    [Fact]
    public void What_comes_in_goes_out()
    {
        using var rig = new Rig("scope") { Input = Performance.Musical(3) };
        var output = rig.Run(2048);
        for (var trace = 0; trace < 4; trace++)
            for (var i = 0; i < 2048; i++) Assert.Equal(Performance.Musical(3)(trace, 0, i), output[trace][0][i]);
    }

    [Fact]
    public void Noise_at_the_level_does_not_trigger_again_and_waves_above_it_do()
    {
        // A hundredth of the picture's 10 V: 0.1 V. The first wave alone crosses its level again and again as it rises.
        foreach (var (ripple, wave, hertz) in new[] { (0.045, 5.0, 20.0), (0.15, 0.0, 4800.0) })
        {
            using var rig = new Rig("scope", new RigOptions { Quantum = 256 });
            rig.Input = (port, _, frame) => port != 0 ? 0f
                : (float)((ripple * Math.Sin(2.0 * Math.PI * 4800 * (frame + 0.5) / Rate))
                    + (wave * Math.Sin(2.0 * Math.PI * 20 * frame / Rate)));
            rig.Run(36_000);
            Assert.Equal(hertz, rig.Telemetry(4 * TraceFloats), hertz * 1e-3);
        }
    }

    private static float Sine(double hertz, long frame) => (float)(5.0 * Math.Sin(2.0 * Math.PI * hertz * frame / Rate));

    private static float Least(Rig rig, int trace, int column) => rig.Telemetry((trace * TraceFloats) + 1 + (2 * column));

    private static float Greatest(Rig rig, int trace, int column) => rig.Telemetry((trace * TraceFloats) + 2 + (2 * column));

    private static float[] Picture(Rig rig, int trace) => [.. Enumerable.Range(0, 2 * Columns).Select(i => rig.Telemetry((trace * TraceFloats) + 1 + i))];
}
